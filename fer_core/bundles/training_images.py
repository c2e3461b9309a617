"""Write down which images a model was trained and selected on, for one that was made before models listed them."""

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


def save_training_images(entry: ModelEntry, dataset: StoredDataset) -> TrainingImages:
    """Divide a dataset as the model's config says, see that its report was made of that division, and keep the list.

    Teachers and the weights that it began with are taken to have been divided alike, as `train` demands of those of the
    same dataset.

    Raises:
        BundleError: the model has a list already, has no config or report, or the dataset divides in another way.
    """
    if (entry.folder / TRAINING_IMAGES_FILE).is_file():
        raise BundleError(f"{entry.id} lists its images already, in {TRAINING_IMAGES_FILE}.")
    if not (entry.folder / CONFIG_FILE).is_file():
        raise BundleError(f"{entry.id} has no {CONFIG_FILE}, so nobody knows how its data was divided.")
    config = load_config(entry.folder / CONFIG_FILE)
    index = dataset.index(version=config.corrections)
    splits = make_split(index, config.split, find_groups(index, dataset.pairs())).to_numpy(str)
    _check_split_sizes(entry, index, splits, dataset.id)
    seen = TrainingImages.from_split(index["sha256"], splits)
    seen.save(entry.folder / TRAINING_IMAGES_FILE)
    if entry.info.files:
        entry.info.model_copy(update={"files": file_hashes(entry.folder)}).save_in(entry.folder)
    return seen


def _check_split_sizes(entry: ModelEntry, index: pd.DataFrame, splits: np.ndarray, dataset: str) -> None:
    """That the report is of as many images, and as many labeled ones, of each part."""
    report = read_report(entry.folder)
    if not report:
        raise BundleError(f"{entry.id} has no report, so nothing proves that {dataset} is what it was trained on.")
    for split, (first, *_) in report.items():
        rows = index[splits == split]
        n_reported, n_images = first.n + first.unlabeled, int((rows["sha256"] != "").sum())
        if n_reported != n_images:
            raise BundleError(
                f"{dataset} has {n_images:,} images in the {Split(split)} split that {entry.id} was trained with, but "
                f"its report is of {n_reported:,}. Name the dataset that it was trained on, as it was then."
            )
