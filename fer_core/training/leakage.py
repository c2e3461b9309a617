"""Check that teachers and initial weights were not trained on a run's held-out images. Needs no torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.record import Split
from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages, truncate_hashes
from fer_core.errors import InputError
from fer_core.runs.folder import Run, weights_path
from fer_core.runs.training_images import load_split_by_id, load_training_images
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, load_config


def assert_disjoint(
    config_key: str, folder: Path, config: TrainConfig, held_out: pd.DataFrame, settings: Settings
) -> None:
    """Check that a model was not trained on the held-out images of a run, nor selected on its test images.

    Images are compared by pixel hash, across datasets. For a model whose training images were not recorded, the ids in
    the split of a run on the same dataset are compared; a run on another dataset can't be checked.

    Args:
        config_key: the key that names the model, for the error.
        folder: the model's run or bundle.
        config: the run's config.
        held_out: `id`, `sha256` and `split` ("valid" or "test") of the run's validation and test images.
    Raises:
        InputError: the model was trained or selected on some of them.
    """
    seen = load_training_images(folder, settings)
    trained, selected = (
        _compare_ids(folder, config, held_out) if seen is None else seen.match(truncate_hashes(held_out["sha256"]))[:2]
    )
    tests = (held_out["split"] == str(Split.TEST)).to_numpy(bool)
    for count, reason in (
        (int(trained.sum()), "trained on {} of this run's validation or test images"),
        (int((selected & tests).sum()), "selected on {} of this run's test images"),
    ):
        if count:
            raise InputError(
                f"{config_key}: the run {folder.name} was {reason.format(f'{count:,}')}, "
                "so the metrics would be too high. Use the same split as that run."
            )


def assert_initial_weights_disjoint(config: TrainConfig, held_out: pd.DataFrame, settings: Settings) -> None:
    """Check the same for the initial weights of a config; a file without recorded training images can't be checked.

    Raises:
        InputError: they were trained or selected on some of the held-out images.
    """
    folder = _init_folder(config, settings)
    if folder is not None:
        assert_disjoint("init_from", folder, config, held_out, settings)


def collect_training_images(
    index: pd.DataFrame, splits: NDArray[np.str_], config: TrainConfig, settings: Settings
) -> TrainingImages:
    """Collect the images that a run, its teachers and its initial weights are trained and selected on.

    Args:
        index: with `sha256`.
        splits: the split of each row.
    """
    seen = TrainingImages.from_split(index["sha256"], splits)
    folders = [settings.runs_dir / name for name in config.distillation.teachers]
    if config.init_from:
        folders.append(_init_folder(config, settings) or Path())
    for folder in folders:
        seen = seen.union(load_training_images(folder, settings))
    return seen


def _init_folder(config: TrainConfig, settings: Settings) -> Path | None:
    """Find the run or bundle of the initial weights; None for a file without recorded training images."""
    if not config.init_from:
        return None
    folder = weights_path(config.init_from, settings.runs_dir).parent
    return (
        folder if folder == settings.runs_dir / config.init_from or (folder / TRAINING_IMAGES_FILE).is_file() else None
    )


def _compare_ids(
    folder: Path, config: TrainConfig, held_out: pd.DataFrame
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find held-out images in the training and validation splits of a run; none if its dataset is another."""
    split = load_split_by_id(folder)
    if split is None or load_config(Run(folder).path("config.yaml")).dataset != config.dataset:
        return np.zeros(len(held_out), bool), np.zeros(len(held_out), bool)
    splits = held_out["id"].map(split)
    return (splits == str(Split.TRAIN)).to_numpy(bool), (splits == str(Split.VALID)).to_numpy(bool)
