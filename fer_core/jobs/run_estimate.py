"""Estimate a run's time and memory in a subprocess."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fer_core.errors import FerscopeError
from fer_core.jobs.process import CLI
from fer_core.jobs.subprocess_runner import Command, run_command
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, preset_paths
from fer_core.training.estimate_report import Estimate

TIMEOUT_S = 300.0


def estimate_run(
    config: TrainConfig,
    settings: Settings,
    *,
    device: str = "",
    timeout_s: float = TIMEOUT_S,
    cli: Sequence[str] = CLI,
) -> Estimate:
    """Train on a few batches and estimate the time and memory of the whole run.

    The config is passed as arguments, so there is no temporary file to clean up.

    Args:
        device: "cpu", "gpu:0" and so on; the best device by default.
        cli: the command line that runs FERscope commands.
    Raises:
        InputError: the config does not fit the dataset, or its weights are missing.
        JobError: the command timed out or was killed.
        FerscopeError: the command failed or printed no estimate.
    """
    command = Command(
        estimate_args(config),
        "The estimate",
        timeout_s,
        late_hint="Choose a smaller network, input or batch size, or try again when the machine is less busy.",
        killed_hint="If memory ran out, choose a smaller batch size.",
    )
    output = run_command(command, settings, device=device, cli=cli)
    try:
        return Estimate.from_json(output)
    except ValueError as exc:
        raise FerscopeError(f"The estimate can't be read ({exc}).") from exc


def estimate_args(config: TrainConfig) -> list[str]:
    """Build the arguments of `python -m fer_core`: a preset with every key of the config set."""
    items = config.model_dump(mode="json").items()
    changes = [argument for key, value in items for argument in ("--set", f"{key}={json.dumps(value)}")]
    return ["train", "--config", next(iter(preset_paths())), *changes, "--estimate", "--json"]
