"""The process of a job: started, found again by a later supervisor, watched and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from fer_core.jobs.devices import device_environment
from fer_core.jobs.job import Job
from fer_core.jobs.log import open_attempt
from fer_core.settings import Settings

CLI = (sys.executable, "-m", "fer_core")
"""The command line of this project: arguments are appended."""

JOB_VARIABLE = "FERSCOPE_JOB"
"""The environment variable that tells a process which job it is."""

PROJECT = Path(__file__).resolve().parents[2]

_NICENESS = 10
_SAME_START_S = 2.0
"""Linux gives a process's start relative to a boot time in whole seconds, which moves when the clock is set."""


class JobProcess:
    """A process that runs a job. It leads a process group of its own, so that all it started goes with it."""

    def __init__(self, process: psutil.Process, child: subprocess.Popen[bytes] | None) -> None:
        self._process = process
        self._child = child
        self._asked_at_s: float | None = None
        self._ended = False

    @classmethod
    def start(cls, settings: Settings, command: Sequence[str], job: Job, log: Path) -> JobProcess:
        """Start a job's command; its output is added to `log`.

        Raises:
            OSError: the program or the log can't be opened.
            ValueError: an argument can't be one, as it holds a null character.
        """
        with open_attempt(log, job) as output:
            child = subprocess.Popen(
                [*command, *job.command_args],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=PROJECT,
                env=child_environment(settings) | device_environment(job.device) | {JOB_VARIABLE: job.id},
                start_new_session=True,
            )
        lower_priority(child.pid)
        return cls(psutil.Process(child.pid), child)

    @classmethod
    def find(cls, job: Job) -> JobProcess | None:
        """The process of a job that another supervisor started; None when it is gone.

        Looked for by pid and start, and failing that by its environment: a supervisor that was killed may
        not have written the pid down, and the clock may have been set since.
        """
        process = _with_pid(job) or _with_variable(job)
        return None if process is None else cls(process, None)

    @property
    def pid(self) -> int:
        """The process's id, and that of its group."""
        return self._process.pid

    @property
    def started_at(self) -> float:
        """When it started, in seconds since the epoch."""
        try:
            return self._process.create_time()
        except psutil.Error:
            return time.time()

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs and when it was somebody else's child."""
        return None if self._child is None else self._child.returncode

    @property
    def stop_requested_for_s(self) -> float | None:
        """Seconds since it was asked to stop; None when it was not."""
        return None if self._asked_at_s is None else time.monotonic() - self._asked_at_s

    def has_ended(self) -> bool:
        """Whether it is gone; what is left of its group is then ended too, for a job leaves nothing behind."""
        if not self._ended and not is_alive(self._process):
            kill_group(self._process)  # before it is reaped: until then its pid, and the group's, is nobody else's
            self._ended = self._child is None or self._child.poll() is not None
        return self._ended

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the job's own process; it stops its helpers itself."""
        self._asked_at_s = time.monotonic()
        with contextlib.suppress(psutil.Error):
            self._process.terminate()

    def kill(self) -> None:
        """End the process and everything in its group at once."""
        if not self.has_ended():
            kill_group(self._process)
            with contextlib.suppress(psutil.Error):
                self._process.kill()


def child_environment(settings: Settings) -> dict[str, str]:
    """This process's environment, with a store that means the same from every working directory."""
    environment = os.environ | {"FERSCOPE_HOME": str(settings.store), "PYTHONUNBUFFERED": "1"}
    environment.pop(JOB_VARIABLE, None)
    if settings.database_url:
        environment["FERSCOPE_DATABASE_URL"] = settings.database_url
    return environment


def lower_priority(pid: int) -> None:
    """The web app and the live view go first; a process that has ended already needs nothing."""
    with contextlib.suppress(psutil.Error):
        if sys.platform == "win32":
            psutil.Process(pid).nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            psutil.Process(pid).nice(_NICENESS)


def kill_group(leader: psutil.Process) -> None:
    """End a process and everything in the group that it leads, or what is left of it; Windows has no groups.

    The kernel keeps a pid taken as long as a group goes by it. So where another process bears the leader's pid,
    nothing is left of the group, and that process's own group is not to be hit.
    """
    if sys.platform == "win32":
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        if psutil.Process(leader.pid) != leader:
            return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, signal.SIGKILL)


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; one that ended and waits for its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _with_pid(job: Job) -> psutil.Process | None:
    if job.pid is None or job.pid_started_at is None:
        return None
    try:
        process = psutil.Process(job.pid)
        same = abs(process.create_time() - job.pid_started_at) < _SAME_START_S
    except psutil.Error:
        return None
    return process if same and is_alive(process) else None


def _with_variable(job: Job) -> psutil.Process | None:
    """The oldest process that bears the job's id and leads its group: its children bear the id too."""
    found: list[tuple[float, psutil.Process]] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(JOB_VARIABLE) == job.id and _leads_group(process) and is_alive(process):
                found.append((process.create_time(), process))
    return min(found, key=lambda entry: entry[0])[1] if found else None


def _leads_group(process: psutil.Process) -> bool:
    return sys.platform == "win32" or os.getpgid(process.pid) == process.pid
