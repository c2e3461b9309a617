"""What a run is judged by was seen by none of the runs that it learns from. Needs no torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.record import Split
from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages, truncate_hashes
from fer_core.errors import InputError
from fer_core.runs.folder import Run, weights_path
from fer_core.runs.seen import read_split, seen_images
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, load_config


def assert_disjoint(key: str, folder: Path, config: TrainConfig, judged: pd.DataFrame, store: Settings) -> None:
    """See that a model has learned from none of some images, and was not chosen on those that test.

    Images are compared by their pixels, whatever dataset they come from. Where nobody knows what the model has seen,
    a run on the same dataset is judged by the names in its split; of another nothing can be said.

    Args:
        key: of the config that names the model, for the error.
        folder: the model's, a run's or a bundle's.
        config: of the run that learns from it.
        judged: `id`, `sha256` and `split` ("valid" or "test") of the images that the run is judged by.
    Raises:
        InputError: it has seen some.
    """
    seen = seen_images(folder, store)
    trained, selected = (
        _by_name(folder, config, judged) if seen is None else seen.find(truncate_hashes(judged["sha256"]))
    )
    tests = (judged["split"] == str(Split.TEST)).to_numpy(bool)
    for count, words in (
        (int(trained.sum()), "learned from {} images that this one is judged by"),
        (int((selected & tests).sum()), "been chosen on {} images that test this one"),
    ):
        if count:
            raise InputError(
                f"{key}: the run {folder.name} has {words.format(f'{count:,}')}, "
                "so its figures would be too good. Divide the images as it did."
            )


def assert_initial_weights_disjoint(config: TrainConfig, judged: pd.DataFrame, store: Settings) -> None:
    """The same for the weights that a config begins with; a file that is no part of a model says nothing of its past.

    Raises:
        InputError: they have learned from some of what the run is judged by.
    """
    folder = _init_folder(config, store)
    if folder is not None:
        assert_disjoint("init_from", folder, config, judged, store)


def collect_seen_images(
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
        seen = seen.union(seen_images(folder, store))
    return seen


def _init_folder(config: TrainConfig, store: Settings) -> Path | None:
    """The folder of the run or bundle whose weights a config begins with; None for a file of which nobody knows."""
    if not config.init_from:
        return None
    folder = weights_path(config.init_from, store.runs_dir).parent
    return folder if folder == store.runs_dir / config.init_from or (folder / TRAINING_IMAGES_FILE).is_file() else None


def _by_name(folder: Path, config: TrainConfig, judged: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which images a run's split names for training, and which to select by; none where it is of another dataset."""
    split = read_split(folder)
    if split is None or load_config(Run(folder).path("config.yaml")).dataset != config.dataset:
        return np.zeros(len(judged), bool), np.zeros(len(judged), bool)
    named = judged["id"].map(split)
    return (named == str(Split.TRAIN)).to_numpy(bool), (named == str(Split.VALID)).to_numpy(bool)
