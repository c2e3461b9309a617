"""A command of ours, run to its end by a process of its own: for the web process, which never loads what it needs."""

from __future__ import annotations

import atexit
import logging
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from fer_core.errors import FerscopeError, InputError, JobError
from fer_core.jobs.devices import device_environment
from fer_core.jobs.outcome import signal_name
from fer_core.jobs.process import CLI, PROJECT, child_environment, kill_group, lower_priority
from fer_core.settings import Settings

_LOG = logging.getLogger(__name__)

_BAD_INPUT = 2
_RUNNING: dict[subprocess.Popen[str], psutil.Process] = {}
"""Those of this process, so that they end when it ends."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be done, and the words for when it is not.

    Attributes:
        arguments: what follows `python -m fer_core`.
        name: what it is called: "The estimate".
        timeout_s: how long it may take.
        late: what to do when it has taken longer, in a sentence.
        killed: what to do when something ended it, in a sentence; a lack of memory is the likeliest.
    """

    arguments: Sequence[str]
    name: str
    timeout_s: float
    late: str
    killed: str = "Memory may have run out: end other work and try again."


def run_command(errand: Command, settings: Settings, *, device: str = "", command: Sequence[str] = CLI) -> str:
    """Run it at lower priority, wait, and leave nothing of it behind.

    Args:
        device: where to compute; the best there is when empty.
        command: what runs the project's commands.
    Returns:
        what it printed on its standard output.
    Raises:
        InputError: it was given something wrong; in the words of the command.
        JobError: it took too long or was ended.
        FerscopeError: it failed.
    """
    child = subprocess.Popen(
        [*command, *errand.arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=PROJECT,
        env=child_environment(settings) | (device_environment(device) if device else {}),
        start_new_session=True,
    )
    leader = psutil.Process(child.pid)  # now, while the pid is surely the child's
    _RUNNING[child] = leader
    try:
        lower_priority(child.pid)
        said, complaints = child.communicate(timeout=errand.timeout_s)
    except subprocess.TimeoutExpired:
        raise JobError(f"{errand.name} was stopped after {errand.timeout_s:g} s. {errand.late}") from None
    finally:
        _end(child, leader)
        _RUNNING.pop(child, None)
    if child.returncode:
        raise _failure(errand, child.returncode, complaints)
    return said


def _failure(errand: Command, exit_code: int, complaints: str) -> FerscopeError:
    """The command's own last words as an error."""
    last = next((line for line in reversed(complaints.splitlines()) if line.strip()), "it said nothing")
    words = last.removeprefix("error: ").strip()
    if exit_code == _BAD_INPUT and last.startswith("error: "):  # not argparse's: then the errand itself is wrong
        return InputError(words)
    _LOG.error("%s ended with %d:\n%s", " ".join(errand.arguments[:2]), exit_code, complaints)
    if exit_code < 0:
        return JobError(f"{errand.name} was ended by {signal_name(-exit_code)}. {errand.killed}")
    return FerscopeError(f"{errand.name} failed: {words}")


def _end(child: subprocess.Popen[str], leader: psutil.Process) -> None:
    """End what is left of the child and all that it started; the child may have been reaped."""
    kill_group(leader)
    child.kill()
    child.communicate()


@atexit.register
def _end_all() -> None:
    """A web server that ends while somebody waits leaves none behind."""
    for child, leader in list(_RUNNING.items()):
        _end(child, leader)
