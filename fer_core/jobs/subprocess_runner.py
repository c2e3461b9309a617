"""Run a FERscope command in a subprocess and wait for it. The web process uses this for work that needs torch."""

from __future__ import annotations

import atexit
import logging
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from fer_core.errors import FerscopeError, InputError, JobError
from fer_core.jobs.devices import device_environment
from fer_core.jobs.outcome import signal_name
from fer_core.jobs.process import CLI, PROJECT_DIR, child_environment, kill_group, lower_priority
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)

_POLL_S = 0.2

_RUNNING: dict[subprocess.Popen[str], psutil.Process] = {}
"""Subprocesses of this process, killed when it exits."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command and the texts of its error messages.

    Attributes:
        arguments: arguments of `python -m fer_core`.
        name: subject of error messages, such as "The estimate".
        timeout_s: the command is killed after this time.
        late_hint: a sentence on what to do after a timeout.
        killed_hint: a sentence on what to do when a signal ended the command, most likely for lack of memory.
    """

    arguments: Sequence[str]
    name: str
    timeout_s: float
    late_hint: str
    killed_hint: str = "Memory may have run out: end other work and try again."


def run_command(
    command: Command,
    settings: Settings,
    *,
    device: str = "",
    cli: Sequence[str] = CLI,
    cancelled: threading.Event | None = None,
) -> str:
    """Run a command at low priority and kill what is left of its process group afterwards.

    Args:
        device: "cpu", "gpu:0" and so on; the best device by default.
        cli: the command line that runs FERscope commands.
        cancelled: kills the command once another thread has set it.
    Returns:
        the command's standard output.
    Raises:
        InputError: the command refused its input; with its message.
        JobError: the command timed out, or was cancelled or killed.
        FerscopeError: the command failed.
    """
    child = subprocess.Popen(
        [*cli, *command.arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=PROJECT_DIR,
        env=child_environment(settings) | (device_environment(device) if device else {}),
        start_new_session=True,
    )
    leader = psutil.Process(child.pid)  # now, while the pid can't belong to another process
    _RUNNING[child] = leader
    try:
        lower_priority(child.pid)
        stdout, stderr = _communicate(child, command, cancelled or threading.Event())
    except subprocess.TimeoutExpired:
        raise JobError(f"{command.name} was stopped after {command.timeout_s:g} s. {command.late_hint}") from None
    finally:
        _kill(child, leader)
        _RUNNING.pop(child, None)
    if child.returncode:
        raise command_failure(command, child.returncode, stderr)
    return stdout


def _communicate(child: subprocess.Popen[str], command: Command, cancelled: threading.Event) -> tuple[str, str]:
    """Wait for a subprocess and return its output.

    Raises:
        JobError: it was cancelled.
        subprocess.TimeoutExpired: it took too long.
    """
    ends_at = time.monotonic() + command.timeout_s
    while True:
        try:
            return child.communicate(timeout=min(_POLL_S, max(0.0, ends_at - time.monotonic())))
        except subprocess.TimeoutExpired:
            if cancelled.is_set():
                raise JobError(f"{command.name} was cancelled.") from None
            if time.monotonic() >= ends_at:
                raise


def command_failure(command: Command, exit_code: int, stderr: str) -> FerscopeError:
    """Turn the last line of a command's standard error into an exception."""
    last = next((line for line in reversed(stderr.splitlines()) if line.strip()), "it printed no error")
    message = last.removeprefix("error: ").strip()
    if exit_code == InputError.exit_code and last.startswith("error: "):  # not a usage error of argparse
        return InputError(message)
    _LOG.error("%s ended with %d:\n%s", " ".join(command.arguments[:2]), exit_code, stderr)
    if exit_code < 0:
        return JobError(f"{command.name} was killed by {signal_name(-exit_code)}. {command.killed_hint}")
    return FerscopeError(f"{command.name} failed: {message}")


def _kill(child: subprocess.Popen[str], leader: psutil.Process) -> None:
    """Kill what is left of a subprocess and its group; it may have been reaped."""
    kill_group(leader)
    child.kill()
    child.communicate()


@atexit.register
def _kill_all() -> None:
    for child, leader in list(_RUNNING.items()):
        _kill(child, leader)
