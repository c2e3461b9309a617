"""Start the supervisor of a store, find the one that runs, and restart it when jobs need one."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from fer_core.errors import JobError
from fer_core.files.atomic import write_json
from fer_core.jobs.job import ACTIVE_STATES
from fer_core.jobs.log import last_error_line
from fer_core.jobs.process import CLI, PROJECT_DIR, child_environment, is_alive
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings

START_TIMEOUT_S = 20.0
_POLL_INTERVAL_S = 0.05
_WATCH_INTERVAL_S = 5.0
_WATCH_PAUSE_MAX_S = 300.0

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SupervisorStatus:
    """Whether a supervisor runs, its pid, and its start time (timezone-aware, UTC)."""

    running: bool
    pid: int | None
    since: datetime | None


_NOT_RUNNING = SupervisorStatus(False, None, None)


def lock_path(settings: Settings) -> Path:
    """The file that a supervisor locks while it runs; the kernel releases the lock with the process."""
    return settings.store / "supervisor.lock"


def write_pid_file(settings: Settings) -> None:
    """Write this process's pid file. The lock must be held."""
    create_time = psutil.Process().create_time()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(_pid_file(settings), {"pid": os.getpid(), "create_time": create_time, "started": started})


def remove_pid_file(settings: Settings) -> None:
    """Remove this process's pid file."""
    if owns_pid_file(settings):
        _pid_file(settings).unlink(missing_ok=True)


def owns_pid_file(settings: Settings) -> bool:
    """Whether the pid file is this process's."""
    return _read_pid_file(settings).pid == os.getpid()


def supervisor_status(settings: Settings) -> SupervisorStatus:
    """Find the running supervisor of a store. A killed one leaves its pid file, but no lock."""
    recorded = _read_pid_file(settings)
    if recorded.pid is None:
        return _NOT_RUNNING
    try:
        alive = is_alive(psutil.Process(recorded.pid))
    except psutil.Error:
        return _NOT_RUNNING
    return recorded if alive and _lock_is_held(settings) else _NOT_RUNNING


def ensure_supervisor(settings: Settings, cli: Sequence[str] = CLI) -> int:
    """Start a supervisor in the background unless one runs; returns its pid.

    Call this after submitting, resuming or cancelling a job. Of concurrent callers one starts it and the others wait.

    Raises:
        JobError: it did not start within `START_TIMEOUT_S`.
    """
    status = supervisor_status(settings)
    if status.pid is not None:
        return status.pid
    log = settings.logs_dir / "supervisor.log"
    try:
        settings.logs_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(settings.store / "supervisor-start.lock", timeout=START_TIMEOUT_S):
            status = supervisor_status(settings)
            return status.pid if status.pid is not None else _start(settings, cli, log)
    except Timeout as exc:
        raise JobError(f"No supervisor started within {START_TIMEOUT_S:g} s. See {log} and try again.") from exc
    except OSError as exc:
        raise JobError(f"The supervisor of {settings.store} could not be started: {exc}.") from exc


def _start(settings: Settings, cli: Sequence[str], log: Path) -> int:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*cli, "supervise"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=PROJECT_DIR,
            env=child_environment(settings),
            start_new_session=True,
        )
    # Wait for its end, or it stays a zombie while the web server runs.
    reaper = threading.Thread(target=process.wait, name="supervisor-reaper", daemon=True)
    reaper.start()
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        # Before the status: a supervisor that found another one exits and leaves that one running.
        ended = not psutil.pid_exists(process.pid) or process.returncode is not None
        status = supervisor_status(settings)
        if status.pid is not None:
            return status.pid
        if ended:
            reason = last_error_line(log) or "it printed no error."
            raise JobError(f"The supervisor ended right after its start: {reason} See {log}.")
        time.sleep(_POLL_INTERVAL_S)
    process.kill()
    reaper.join()
    raise JobError(f"The supervisor did not acquire its lock within {START_TIMEOUT_S:g} s and was killed. See {log}.")


def _pid_file(settings: Settings) -> Path:
    return settings.store / "supervisor.json"


def _read_pid_file(settings: Settings) -> SupervisorStatus:
    """Read the pid file, whether or not its process runs."""
    try:
        content = json.loads(_pid_file(settings).read_text())
        return SupervisorStatus(True, int(content["pid"]), datetime.fromisoformat(content["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return _NOT_RUNNING


def _lock_is_held(settings: Settings) -> bool:
    lock = FileLock(lock_path(settings), timeout=0)
    try:
        lock.acquire()
    except OSError:  # includes Timeout; in a read-only store this can't be checked
        return True
    lock.release()
    return False


class SupervisorWatchdog:
    """Checks every few seconds for a supervisor, so that jobs continue after a crash or a restart of the machine.

    Several apps can watch one store: only one of them starts the supervisor.
    """

    def __init__(self, settings: Settings, cli: Sequence[str] = CLI, *, interval_s: float = _WATCH_INTERVAL_S) -> None:
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
                pause_s = min(2 * pause_s, _WATCH_PAUSE_MAX_S)
                _LOG.exception("The supervisor could not be checked; trying again in %.0f s.", pause_s)
            if self._stop_event.wait(pause_s):
                return
