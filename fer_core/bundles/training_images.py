"""Record the training and selection images of a model from an earlier version."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fer_core.bundles.bundle import CONFIG_FILE
from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.reports import read_report
from fer_core.bundles.verification import file_hashes
from fer_core.data.catalog import StoredDataset
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.record import Split
from fer_core.data.splits.split import make_split
from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages
from fer_core.errors import BundleError
from fer_core.training.config.train_config import load_config


def record_training_images(entry: ModelEntry, dataset: StoredDataset) -> TrainingImages:
    """Save the list of a model's training and selection images, and of the images with a copy among the former.

    Without a list, the dataset is split as the model's config says, and the split sizes are checked against its report.
    Teachers and initial weights are assumed to have the same split, as `train` requires for the same dataset.

    Raises:
        BundleError: the list is complete already, or the model has no config or report, or the split sizes differ.
    """
    path, index = entry.folder / TRAINING_IMAGES_FILE, dataset.index(["sha256"])
    stored = TrainingImages.load(path) if path.is_file() else None
    seen = (stored or _split_images(entry, dataset)).with_copies(index["sha256"], dataset.pairs())
    if stored is not None and len(seen.copied) == len(stored.copied):
        raise BundleError(f"{entry.id} lists its images already, in {TRAINING_IMAGES_FILE}.")
    seen.save(path)
    if entry.info.files:
        entry.info.model_copy(update={"files": file_hashes(entry.folder)}).save_in(entry.folder)
    return seen


def _split_images(entry: ModelEntry, dataset: StoredDataset) -> TrainingImages:
    if not (entry.folder / CONFIG_FILE).is_file():
        raise BundleError(f"{entry.id} has no {CONFIG_FILE}, so its split is unknown.")
    config = load_config(entry.folder / CONFIG_FILE)
    index = dataset.index(version=config.corrections)
    splits = make_split(index, config.split, find_groups(index, dataset.pairs())).to_numpy(str)
    _check_split_sizes(entry, index, splits, dataset.id)
    return TrainingImages.from_split(index["sha256"], splits)


def _check_split_sizes(entry: ModelEntry, index: pd.DataFrame, splits: np.ndarray, dataset: str) -> None:
    """Check that the report's image counts match each split."""
    report = read_report(entry.folder)
    if not report:
        raise BundleError(f"{entry.id} has no report, so it can't be checked that it was trained on {dataset}.")
    for split, (first, *_) in report.items():
        rows = index[splits == split]
        n_reported, n_images = first.n + first.unlabeled, int((rows["sha256"] != "").sum())
        if n_reported != n_images:
            raise BundleError(
                f"{dataset} has {n_images:,} images in the {Split(split)} split that {entry.id} was trained with, but "
                f"its report is of {n_reported:,}. Name the dataset that it was trained on, as it was then."
            )
