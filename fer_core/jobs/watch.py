"""The app's watch over the supervisor: it starts one where jobs wait or run and nobody looks after them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from fer_core.jobs.job import ACTIVE_STATES
from fer_core.jobs.process import CLI
from fer_core.jobs.service import ensure_supervisor, supervisor_status
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)

_LOOK_S = 5.0
_PAUSE_MAX_S = 300.0


class SupervisorWatchdog:
    """A thread that looks every few seconds, so that jobs go on after a crash or a restart of the machine.

    Several apps may watch one store: of those that find no supervisor, one starts it.
    """

    def __init__(self, settings: Settings, command: Sequence[str] = CLI, *, look_s: float = _LOOK_S) -> None:
        self._settings = settings
        self._command = tuple(command)
        self._look_s = look_s
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor-watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer; a supervisor that runs goes on."""
        self._leaving.set()
        self._thread.join()

    def look(self) -> bool:
        """Start a supervisor if one is needed; whether one was.

        Raises:
            JobError: the database can't be reached, or no supervisor comes up.
        """
        if supervisor_status(self._settings).running:
            return False
        with JobStore(self._settings) as store:
            if not store.list(states=ACTIVE_STATES, limit=1):
                return False
        pid = ensure_supervisor(self._settings, self._command)
        _LOG.info("Jobs had nobody to look after them: process %d does now.", pid)
        return True

    def _watch(self) -> None:
        pause_s = self._look_s
        while True:
            try:
                self.look()
                pause_s = self._look_s
            except Exception:  # noqa: BLE001  (a thread's boundary)
                # Ever longer pauses, so that a lasting trouble does not fill the log.
                pause_s = min(2 * pause_s, _PAUSE_MAX_S)
                _LOG.exception("The supervisor could not be looked after; again in %.0f s.", pause_s)
            if self._leaving.wait(pause_s):
                return
