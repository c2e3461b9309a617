"""An estimate of a run, measured by a process of its own: the web process never loads torch."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
from collections.abc import Sequence

from fer_core.errors import FerscopeError, InputError, JobError
from fer_core.jobs.devices import device_environment
from fer_core.jobs.outcome import signal_name
from fer_core.jobs.process import PROJECT, child_environment, kill_group, lower_priority
from fer_core.settings import Settings
from fer_core.training.config import TrainConfig, presets
from fer_core.training.estimated import Estimate

TIMEOUT_S = 300.0

_BAD_INPUT = 2
_RUNNING: set[subprocess.Popen[str]] = set()
"""Those of this process, so that they end when it ends."""


def measure(
    config: TrainConfig,
    settings: Settings,
    *,
    device: str = "",
    timeout_s: float = TIMEOUT_S,
    command: Sequence[str] = (sys.executable, "-m", "fer_core"),
) -> Estimate:
    """Learn from a few batches in a child process at lower priority, and say what the run would take.

    The config travels in the command's arguments: no file has to be cleared away, whatever happens.

    Args:
        device: where to measure; the best there is when empty.
        command: what runs the project's commands.
    Raises:
        InputError: the config does not fit the dataset, or the weights it wants are not there; in the words of the
            command.
        JobError: it took too long, or ended without an estimate.
    """
    child = subprocess.Popen(
        [*command, *estimate_arguments(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env=child_environment(settings) | (device_environment(device) if device else {}),
        start_new_session=True,
    )
    _RUNNING.add(child)
    try:
        lower_priority(child.pid)
        said, complaints = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise JobError(
            f"The estimate was stopped after {timeout_s:g} s: a few batches take longer than that here. Choose a "
            "smaller network, input or batch, or try again when the machine is less busy."
        ) from None
    finally:
        _end(child)
        _RUNNING.discard(child)
    return _understood(child.returncode, said, complaints)


def estimate_arguments(config: TrainConfig) -> list[str]:
    """What follows `python -m fer_core`: every key of the config, put over a preset's."""
    keys = config.model_dump(mode="json").items()
    changes = [word for key, value in keys for word in ("--set", f"{key}={json.dumps(value)}")]
    return ["train", "--config", next(iter(presets())), *changes, "--estimate", "--json"]


def _understood(exit_code: int, said: str, complaints: str) -> Estimate:
    """The estimate, or the command's own last words as an error."""
    last = next((line for line in reversed(complaints.splitlines()) if line.strip()), "it said nothing")
    words = last.removeprefix("error: ").strip()
    if exit_code == _BAD_INPUT:
        raise InputError(words)
    if exit_code < 0:
        raise JobError(
            f"The estimate was ended by {signal_name(-exit_code)}. If memory ran out, choose a smaller batch."
        )
    if exit_code:
        raise FerscopeError(f"The estimate failed: {words}")
    try:
        return Estimate.from_json(said)
    except ValueError as exc:
        raise FerscopeError(f"The estimate can't be read ({exc}).") from exc


def _end(child: subprocess.Popen[str]) -> None:
    """End what is left of the child and all that it started."""
    kill_group(child.pid)
    child.kill()
    child.communicate()


@atexit.register
def _end_all() -> None:
    """A web server that ends while somebody waits for an estimate leaves none behind."""
    for child in list(_RUNNING):
        _end(child)
