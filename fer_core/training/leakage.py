"""Leakage: a run's held-out images must not be training images of the models that it learns from. Needs no torch."""

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


def assert_disjoint(key: str, folder: Path, config: TrainConfig, held_out: pd.DataFrame, store: Settings) -> None:
    """Check that a model was not trained on the held-out images of a run, nor selected on its test images.

    Images are compared by pixel hash, across datasets. For a model whose training images were not recorded, the ids in
    the split of a run on the same dataset are compared; a run on another dataset can't be checked.

    Args:
        key: the config's key that names the model, for the error.
        folder: the model's run or bundle.
        config: of the run that learns from it.
        held_out: `id`, `sha256` and `split` ("valid" or "test") of the run's validation and test images.
    Raises:
        InputError: the model was trained or selected on some of them.
    """
    seen = load_training_images(folder, store)
    trained, selected = (
        _by_name(folder, config, held_out) if seen is None else seen.match(truncate_hashes(held_out["sha256"]))
    )
    tests = (held_out["split"] == str(Split.TEST)).to_numpy(bool)
    for count, words in (
        (int(trained.sum()), "learned from {} images that this one is judged by"),
        (int((selected & tests).sum()), "been chosen on {} images that test this one"),
    ):
        if count:
            raise InputError(
                f"{key}: the run {folder.name} has {words.format(f'{count:,}')}, "
                "so its figures would be too good. Divide the images as it did."
            )


def assert_initial_weights_disjoint(config: TrainConfig, held_out: pd.DataFrame, store: Settings) -> None:
    """Check the same for the initial weights of a config; a bare file of weights can't be checked.

    Raises:
        InputError: they were trained or selected on some of the held-out images.
    """
    folder = _init_folder(config, store)
    if folder is not None:
        assert_disjoint("init_from", folder, config, held_out, store)


def collect_training_images(
    index: pd.DataFrame, splits: NDArray[np.str_], config: TrainConfig, store: Settings
) -> TrainingImages:
    """What a run is trained and selected on, its teachers and the weights that it begins with among it.

    Args:
        index: with `sha256`.
        splits: the part of each row.
    """
    seen = TrainingImages.from_split(index["sha256"], splits)
    folders = [store.runs_dir / name for name in config.distillation.teachers]
    if config.init_from:
        folders.append(_init_folder(config, store) or Path())
    for folder in folders:
        seen = seen.union(load_training_images(folder, store))
    return seen


def _init_folder(config: TrainConfig, store: Settings) -> Path | None:
    """The folder of the run or bundle whose weights a config begins with; None for a file of which nobody knows."""
    if not config.init_from:
        return None
    folder = weights_path(config.init_from, store.runs_dir).parent
    return folder if folder == store.runs_dir / config.init_from or (folder / TRAINING_IMAGES_FILE).is_file() else None


def _by_name(folder: Path, config: TrainConfig, held_out: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which images a run's split names for training, and which to select by; none where it is of another dataset."""
    split = load_split_by_id(folder)
    if split is None or load_config(Run(folder).path("config.yaml")).dataset != config.dataset:
        return np.zeros(len(held_out), bool), np.zeros(len(held_out), bool)
    named = held_out["id"].map(split)
    return (named == str(Split.TRAIN)).to_numpy(bool), (named == str(Split.VALID)).to_numpy(bool)
