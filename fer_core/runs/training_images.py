"""Find the training and selection images of a model, from its image list or its run's split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from fer_core.data.catalog import StoredDataset, list_datasets
from fer_core.data.training_images import TRAINING_IMAGES_FILE, TrainingImages
from fer_core.errors import RunError
from fer_core.files.migration import rename_config_keys
from fer_core.runs.folder import Run
from fer_core.settings import Settings


def load_training_images(folder: Path, settings: Settings) -> TrainingImages | None:
    """Load the training images of a bundle or run; None if unknown.

    For a run of an older version they are those of its split, if its dataset is unchanged in the store.

    Raises:
        BundleError: the list is damaged.
    """
    if (folder / TRAINING_IMAGES_FILE).is_file():
        return TrainingImages.load(folder / TRAINING_IMAGES_FILE)
    dataset, split = find_training_dataset(folder, settings), load_split_by_id(folder)
    if dataset is None or split is None:
        return None
    index = dataset.raw_index(["id", "sha256"])
    splits = index["id"].map(split).fillna("").to_numpy(str)
    return TrainingImages.from_split(index["sha256"], splits, complete=_trained_without_other_models(folder))


def load_split_by_id(folder: Path) -> pd.Series | None:
    """Read the split of each image by id; None if the folder is not a run."""
    try:
        return Run(folder).read_split().set_index("id")["split"]
    except RunError:
        return None


def find_training_dataset(folder: Path, settings: Settings) -> StoredDataset | None:
    """Find a run's dataset in the store by fingerprint, under any id; None if it is not there."""
    fingerprint = _json(folder / "data.json").get("fingerprint")
    return next((dataset for dataset in list_datasets(settings) if dataset.fingerprint == fingerprint), None)


def _trained_without_other_models(folder: Path) -> bool:
    """Whether a run used no initial weights and no teachers, whose images its split does not include."""
    config = rename_config_keys(yaml.safe_load(Run(folder).config_text()) or {})
    return not config.get("init_from") and not (config.get("distillation") or {}).get("teachers")


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
