"""`train`: train a model, or estimate the time and memory."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from fer_core.cli.output import print_result
from fer_core.cli.reporting import run_with_progress
from fer_core.data.catalog import open_dataset
from fer_core.errors import ConfigError, DatasetError
from fer_core.ids import new_id
from fer_core.runs.folder import Run, create_run, open_run
from fer_core.runs.training_images import find_training_dataset
from fer_core.settings import Settings, settings
from fer_core.system.allocator import restart_with_malloc_settings
from fer_core.training.config.train_config import dump_config, load_config, preset_paths
from fer_core.training.retraining import retraining_config


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("train", help="train a model")
    command.add_argument("--config", help=f"a YAML file, or a preset: {', '.join(preset_paths())}")
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change one key of the config")
    command.add_argument(
        "--retrain", metavar="RUN", help="train a run's recipe on its split with the corrections made since"
    )
    command.add_argument("--run", dest="run_id", metavar="ID", help="id of the run; with --config, of the new run")
    command.add_argument("--resume", action="store_true", help="continue from the last checkpoint")
    command.add_argument("--estimate", action="store_true", help="estimate time and memory; nothing is saved")
    command.add_argument(
        "--within", type=float, default=120.0, metavar="S", help="with --estimate: seconds it may take"
    )
    command.add_argument("--json", action="store_true", help="print JSON only")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train or estimate."""
    app_settings = settings()
    if arguments.estimate:
        _estimate(arguments, app_settings)
        return
    if arguments.config:
        path = preset_paths().get(arguments.config, Path(arguments.config))
        config = load_config(path, arguments.set)
        open_dataset(config.dataset, app_settings)  # first, so that an unknown dataset leaves no run behind
        training_run = create_run(arguments.run_id or new_id(path.stem), dump_config(config), app_settings)
    elif arguments.retrain:
        training_run = _create_retraining(arguments, app_settings)
    elif arguments.run_id:
        if arguments.set:
            raise ConfigError("--set needs --config. Omit it to train the run as recorded.")
        training_run = open_run(arguments.run_id, app_settings)
    else:
        raise ConfigError("Give --config FILE for a new run, --retrain RUN, or --run ID for an existing one.")
    # The restarted process continues with the created run.
    restart_with_malloc_settings(_arguments_for(training_run.id, arguments))
    from fer_core.experiment import run_experiment

    finished = run_with_progress(
        lambda progress: run_experiment(training_run, app_settings, resume=arguments.resume, progress=progress)
    )
    summary = {"run": finished.id, **finished.summary()}
    print_result(
        summary, arguments.json, f"{finished.id}: finished, epoch {summary['best_epoch']} of {summary['epochs']} kept"
    )


def _create_retraining(arguments: argparse.Namespace, app_settings: Settings) -> Run:
    """Create the run of `--retrain`.

    Raises:
        InputError: the run or its dataset is gone, or nothing has been corrected since.
    """
    if arguments.set:
        raise ConfigError("--retrain keeps the recipe; --set needs --config.")
    earlier = open_run(arguments.retrain, app_settings)
    dataset = find_training_dataset(earlier.folder, app_settings)
    if dataset is None:
        raise DatasetError(f"The dataset that {earlier.id} was trained on is not in the store. Import it again.")
    config = retraining_config(earlier, dataset, app_settings)
    return create_run(arguments.run_id or new_id("retrained"), dump_config(config), app_settings)


def _estimate(arguments: argparse.Namespace, app_settings: Settings) -> None:
    """Estimate a run's time and memory, with the allocator settings of a training."""
    if not arguments.config:
        raise ConfigError("--estimate needs a config: give --config FILE.")
    config = load_config(preset_paths().get(arguments.config, Path(arguments.config)), arguments.set)
    dataset = open_dataset(config.dataset, app_settings)
    changes = [argument for change in arguments.set for argument in ("--set", change)]
    json_flag = ["--json"] if arguments.json else []
    within = ["--within", f"{arguments.within:g}"]
    restart_with_malloc_settings(["train", "--config", arguments.config, *changes, "--estimate", *within, *json_flag])
    import torch

    from fer_core.training.estimate import estimate

    torch.set_num_threads(app_settings.threads or os.cpu_count() or 1)
    ends_at = time.time() + arguments.within - (time.time() - psutil.Process().create_time())
    result = estimate(config, dataset, app_settings, ends_at=ends_at)
    print_result(asdict(result), arguments.json, result.describe(config.epochs))


def _arguments_for(run_id: str, arguments: argparse.Namespace) -> list[str]:
    options = [name for name, is_set in (("--resume", arguments.resume), ("--json", arguments.json)) if is_set]
    return ["train", "--run", run_id, *options]
