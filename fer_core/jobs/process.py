"""Processes of jobs: start, find, monitor and stop them."""

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
from fer_core.jobs.log import open_log
from fer_core.settings import Settings

CLI = (sys.executable, "-m", "fer_core")
"""The command line of this project: arguments are appended."""

JOB_VARIABLE = "FERSCOPE_JOB"
"""The environment variable that holds the job id of a process."""

PROJECT_DIR = Path(__file__).resolve().parents[2]

_NICENESS = 10
_START_TOLERANCE_S = 2.0
"""Tolerance of start times: on Linux they move with the system clock, by whole seconds."""


class JobProcess:
    """A process that runs a job. It leads a process group, so that its children are killed with it."""

    def __init__(self, process: psutil.Process, child: subprocess.Popen[bytes] | None) -> None:
        self._process = process
        self._child = child
        self._stop_requested_at_s: float | None = None
        self._ended = False

    @classmethod
    def start(cls, settings: Settings, cli: Sequence[str], job: Job, log: Path) -> JobProcess:
        """Start a job's command and append its output to `log`.

        Raises:
            OSError: the program or the log can't be opened.
            ValueError: an argument contains a null character.
        """
        with open_log(log, job) as output:
            child = subprocess.Popen(
                [*cli, *job.command_args],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=PROJECT_DIR,
                env=child_environment(settings) | device_environment(job.device) | {JOB_VARIABLE: job.id},
                start_new_session=True,
            )
        lower_priority(child.pid)
        return cls(psutil.Process(child.pid), child)

    @classmethod
    def find(cls, job: Job) -> JobProcess | None:
        """Find the process of a job that another supervisor started; None if it has ended.

        Searches by pid and start time, then by environment variable: a killed supervisor may not have recorded the pid,
        and the system clock may have changed.
        """
        process = _find_by_pid(job) or _find_by_environment(job)
        return None if process is None else cls(process, None)

    @property
    def pid(self) -> int:
        """The id of the process and of its group."""
        return self._process.pid

    @property
    def started_at(self) -> float:
        """Start time in seconds since the epoch."""
        try:
            return self._process.create_time()
        except psutil.Error:
            return time.time()

    @property
    def exit_code(self) -> int | None:
        """Negative for a signal; None while it runs or if another process started it."""
        return None if self._child is None else self._child.returncode

    @property
    def stop_requested_for_s(self) -> float | None:
        """Seconds since `request_stop`; None before."""
        return None if self._stop_requested_at_s is None else time.monotonic() - self._stop_requested_at_s

    def has_ended(self) -> bool:
        """Whether the process has ended; kills what is left of its group."""
        if not self._ended and not is_alive(self._process):
            kill_group(self._process)  # before it is reaped: until then its pid can't be reused
            self._ended = self._child is None or self._child.poll() is not None
        return self._ended

    def request_stop(self) -> None:
        """Send SIGTERM to the job's process, which stops its own children."""
        self._stop_requested_at_s = time.monotonic()
        with contextlib.suppress(psutil.Error):
            self._process.terminate()

    def kill(self) -> None:
        """Kill the process and its group."""
        if not self.has_ended():
            kill_group(self._process)
            with contextlib.suppress(psutil.Error):
                self._process.kill()


def child_environment(settings: Settings) -> dict[str, str]:
    """This process's environment with an absolute path of the store."""
    environment = os.environ | {"FERSCOPE_HOME": str(settings.store), "PYTHONUNBUFFERED": "1"}
    environment.pop(JOB_VARIABLE, None)
    if settings.database_url:
        environment["FERSCOPE_DATABASE_URL"] = settings.database_url
    return environment


def lower_priority(pid: int) -> None:
    """Lower a process's priority below that of the web app; does nothing if it has ended."""
    with contextlib.suppress(psutil.Error):
        if sys.platform == "win32":
            psutil.Process(pid).nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            psutil.Process(pid).nice(_NICENESS)


def kill_group(leader: psutil.Process) -> None:
    """Kill the process group of `leader`, or what is left of it. Does nothing on Windows, which has no groups.

    The kernel does not reuse a pid while it is the id of a group. So if another process has the leader's pid, the group
    is gone and that process must not be killed.
    """
    if sys.platform == "win32":
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        if psutil.Process(leader.pid) != leader:
            return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, signal.SIGKILL)


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs and is not a zombie."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _find_by_pid(job: Job) -> psutil.Process | None:
    if job.pid is None or job.pid_started_at is None:
        return None
    try:
        process = psutil.Process(job.pid)
        is_same = abs(process.create_time() - job.pid_started_at) < _START_TOLERANCE_S
    except psutil.Error:
        return None
    return process if is_same and is_alive(process) else None


def _find_by_environment(job: Job) -> psutil.Process | None:
    """The oldest group leader whose environment has the job's id; its children have the id too."""
    candidates: list[tuple[float, psutil.Process]] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(JOB_VARIABLE) == job.id and _leads_group(process) and is_alive(process):
                candidates.append((process.create_time(), process))
    return min(candidates, key=lambda entry: entry[0])[1] if candidates else None


def _leads_group(process: psutil.Process) -> bool:
    return sys.platform == "win32" or os.getpgid(process.pid) == process.pid
