"""Having exactly one supervisor a store: who it is, and starting it when it is needed."""

from __future__ import annotations

import json
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
from fer_core.jobs.log import last_error_line
from fer_core.jobs.process import CLI, PROJECT, child_environment, is_alive
from fer_core.settings import Settings

START_TIMEOUT_S = 20.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class SupervisorStatus:
    """Whether a store's jobs are supervised, by which process, and since when (aware, UTC)."""

    running: bool
    pid: int | None
    since: datetime | None


_NONE = SupervisorStatus(False, None, None)


def lock_path(settings: Settings) -> Path:
    """The file whose lock a supervisor holds all its life; the kernel lets it go with the process."""
    return settings.store / "supervisor.lock"


def write_pid_file(settings: Settings) -> None:
    """Write down that this process is the supervisor. Its lock must be held."""
    create_time = psutil.Process().create_time()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(_note_path(settings), {"pid": os.getpid(), "create_time": create_time, "started": started})


def remove_pid_file(settings: Settings) -> None:
    """Take back what `write_pid_file` wrote."""
    if owns_pid_file(settings):
        _note_path(settings).unlink(missing_ok=True)


def owns_pid_file(settings: Settings) -> bool:
    """Whether this process is still the one written down."""
    return _noted(settings).pid == os.getpid()


def supervisor_status(settings: Settings) -> SupervisorStatus:
    """The supervisor of a store. One that was killed has left its note, but neither its process nor its lock."""
    noted = _noted(settings)
    if noted.pid is None:
        return _NONE
    try:
        alive = is_alive(psutil.Process(noted.pid))
    except psutil.Error:
        return _NONE
    return noted if alive and _lock_is_held(settings) else _NONE


def ensure_supervisor(settings: Settings, command: Sequence[str] = CLI) -> int:
    """Start a supervisor in the background unless there is one; its pid.

    Call it after submitting, resuming or cancelling a job. Of callers that meet, one starts it and the
    others wait for it.

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
            return status.pid if status.pid is not None else _start(settings, command, log)
    except Timeout as exc:
        raise JobError(f"No supervisor came up within {START_TIMEOUT_S:g} s. See {log} and try again.") from exc
    except OSError as exc:
        raise JobError(f"The supervisor of {settings.store} could not be started: {exc}.") from exc


def _start(settings: Settings, command: Sequence[str], log: Path) -> int:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "supervise"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=PROJECT,
            env=child_environment(settings),
            start_new_session=True,
        )
    # Somebody must take note of its end, or it stays as a zombie of a web server that runs for weeks.
    end = threading.Thread(target=process.wait, name="supervisor-end", daemon=True)
    end.start()
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        # Asked before the status: a supervisor that lost against another one leaves that one in its place.
        gone = not psutil.pid_exists(process.pid) or process.returncode is not None
        status = supervisor_status(settings)
        if status.pid is not None:
            return status.pid
        if gone:
            words = last_error_line(log) or "it said nothing"
            raise JobError(f"The supervisor ended as soon as it was started: {words} See {log}.")
        time.sleep(_LOOK_S)
    process.kill()
    end.join()
    raise JobError(f"The supervisor held no lock after {START_TIMEOUT_S:g} s and was stopped. See {log}.")


def _note_path(settings: Settings) -> Path:
    return settings.store / "supervisor.json"


def _noted(settings: Settings) -> SupervisorStatus:
    """Who is written down as supervisor, whether or not it lives."""
    try:
        note = json.loads(_note_path(settings).read_text())
        return SupervisorStatus(True, int(note["pid"]), datetime.fromisoformat(note["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return _NONE


def _lock_is_held(settings: Settings) -> bool:
    look = FileLock(lock_path(settings), timeout=0)
    try:
        look.acquire()
    except OSError:  # a Timeout is one; a store that may only be read does not tell
        return True
    look.release()
    return False
