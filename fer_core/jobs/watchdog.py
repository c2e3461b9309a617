"""A thread of the app that restarts the supervisor when jobs need one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from fer_core.jobs.job import ACTIVE_STATES
from fer_core.jobs.process import CLI
from fer_core.jobs.store import JobStore
from fer_core.jobs.supervisor_process import ensure_supervisor, supervisor_status
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)

_INTERVAL_S = 5.0
_PAUSE_MAX_S = 300.0


class SupervisorWatchdog:
    """Checks every few seconds for a supervisor, so that jobs continue after a crash or a restart of the machine.

    Several apps can watch one store: only one of them starts the supervisor.
    """

    def __init__(self, settings: Settings, cli: Sequence[str] = CLI, *, interval_s: float = _INTERVAL_S) -> None:
        self._settings = settings
        self._cli = tuple(cli)
        self._interval_s = interval_s
        self._stop_event = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor-watchdog", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; a running supervisor continues."""
        self._stop_event.set()
        self._thread.join()

    def check(self) -> bool:
        """Start a supervisor if jobs need one; returns whether it was started.

        Raises:
            JobError: the database can't be reached, or the supervisor does not start.
        """
        if supervisor_status(self._settings).running:
            return False
        with JobStore(self._settings) as store:
            if not store.list(states=ACTIVE_STATES, limit=1):
                return False
        pid = ensure_supervisor(self._settings, self._cli)
        _LOG.info("Restarted the supervisor as process %d.", pid)
        return True

    def _run(self) -> None:
        pause_s = self._interval_s
        while True:
            try:
                self.check()
                pause_s = self._interval_s
            except Exception:  # noqa: BLE001  (a thread's boundary)
                # Back off, so that a lasting error does not fill the log.
                pause_s = min(2 * pause_s, _PAUSE_MAX_S)
                _LOG.exception("The supervisor could not be checked; trying again in %.0f s.", pause_s)
            if self._stop_event.wait(pause_s):
                return
