"""An estimate of a run, measured by a process of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fer_core.errors import FerscopeError
from fer_core.jobs.process import CLI
from fer_core.jobs.subprocess_runner import Command, run_command
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, presets
from fer_core.training.estimate_report import Estimate

TIMEOUT_S = 300.0


def estimate_run(
    config: TrainConfig,
    settings: Settings,
    *,
    device: str = "",
    timeout_s: float = TIMEOUT_S,
    command: Sequence[str] = CLI,
) -> Estimate:
    """Learn from a few batches, and say what the run would take.

    The config travels in the command's arguments: no file has to be cleared away, whatever happens.

    Args:
        device: where to measure; the best there is when empty.
        command: what runs the project's commands.
    Raises:
        InputError: the config does not fit the dataset, or the weights it wants are not there; in the words of the
            command.
        JobError: it took too long, or was ended.
        FerscopeError: it failed, or said something else than an estimate.
    """
    errand = Command(
        estimate_args(config),
        "The estimate",
        timeout_s,
        late="A few batches take longer than that here. Choose a smaller network, input or batch, or try again when "
        "the machine is less busy.",
        killed="If memory ran out, choose a smaller batch.",
    )
    said = run_command(errand, settings, device=device, command=command)
    try:
        return Estimate.from_json(said)
    except ValueError as exc:
        raise FerscopeError(f"The estimate can't be read ({exc}).") from exc


def estimate_args(config: TrainConfig) -> list[str]:
    """What follows `python -m fer_core`: every key of the config, put over a preset's."""
    keys = config.model_dump(mode="json").items()
    changes = [word for key, value in keys for word in ("--set", f"{key}={json.dumps(value)}")]
    return ["train", "--config", next(iter(presets())), *changes, "--estimate", "--json"]
