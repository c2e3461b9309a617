"""`train`: one run, from a config to a finished run folder."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fer_core.cli.output import print_result
from fer_core.cli.reporting import run_with_progress
from fer_core.data.catalog import open_dataset
from fer_core.errors import ConfigError
from fer_core.ids import new_id
from fer_core.runs.folder import create_run, open_run
from fer_core.settings import Settings, settings
from fer_core.system.allocator import restart_with_malloc_settings
from fer_core.training.config.train_config import dump_config, load_config, preset_paths


def add_command(commands: Any) -> None:
    """Add the command to a parser."""
    command: argparse.ArgumentParser = commands.add_parser("train", help="train a model")
    command.add_argument("--config", help=f"a YAML file, or a preset: {', '.join(preset_paths())}")
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change one key of the config")
    command.add_argument("--run", dest="run_id", metavar="ID", help="the run's id; with --config a new run is made")
    command.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    command.add_argument("--estimate", action="store_true", help="say what the run would take; nothing is kept")
    command.add_argument("--json", action="store_true", help="print JSON alone")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train."""
    here = settings()
    if arguments.estimate:
        _estimate(arguments, here)
        return
    if arguments.config:
        path = preset_paths().get(arguments.config, Path(arguments.config))
        config = load_config(path, arguments.set)
        open_dataset(config.dataset, here)  # first, so that a wrong name leaves no run behind
        chosen = create_run(arguments.run_id or new_id(path.stem), dump_config(config), here)
    elif arguments.run_id:
        if arguments.set:
            raise ConfigError("--set changes a config: give --config as well, or leave it out to run as recorded.")
        chosen = open_run(arguments.run_id, here)
    else:
        raise ConfigError("Give --config FILE for a new run, or --run ID for one that was made already.")
    # From here on the run exists: the restarted process goes on with it.
    restart_with_malloc_settings(_arguments_for(chosen.id, arguments))
    from fer_core.experiment import run_experiment

    finished = run_with_progress(
        lambda progress: run_experiment(chosen, here, resume=arguments.resume, progress=progress)
    )
    summary = {"run": finished.id, **finished.summary()}
    print_result(
        summary, arguments.json, f"{finished.id}: finished, epoch {summary['best_epoch']} of {summary['epochs']} kept"
    )


def _estimate(arguments: argparse.Namespace, here: Settings) -> None:
    """Say what a run would take, measured under the allocator that it would have."""
    if not arguments.config:
        raise ConfigError("--estimate needs a config: give --config FILE.")
    config = load_config(preset_paths().get(arguments.config, Path(arguments.config)), arguments.set)
    dataset = open_dataset(config.dataset, here)
    changes = [word for change in arguments.set for word in ("--set", change)]
    more = ["--json"] if arguments.json else []
    restart_with_malloc_settings(["train", "--config", arguments.config, *changes, "--estimate", *more])
    import torch

    from fer_core.training.estimate import estimate

    torch.set_num_threads(here.threads or os.cpu_count() or 1)
    found = estimate(config, dataset, here)
    print_result(asdict(found), arguments.json, found.describe(config.epochs))


def _arguments_for(run_id: str, arguments: argparse.Namespace) -> list[str]:
    options = [name for name, given in (("--resume", arguments.resume), ("--json", arguments.json)) if given]
    return ["train", "--run", run_id, *options]
