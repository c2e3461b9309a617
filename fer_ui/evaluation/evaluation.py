"""What the Evaluation page shows: a model's report on a dataset and, where its predictions are stored, every image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from fer_core.bundles.bundle import MODEL_FILE
from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.model_comparison import evaluated_on
from fer_core.bundles.reports import SplitReports
from fer_core.calibration import CALIBRATION_FILE, OperatingPoint
from fer_core.data.catalog import StoredDataset, list_datasets, open_dataset
from fer_core.data.training_images import TRAINING_IMAGES_FILE
from fer_core.errors import InputError
from fer_core.evaluation.dataset_predictions import DatasetPredictions, NotPredictedError, load_predictions
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.prediction_cache import FOLDER
from fer_core.evaluation.predictions import Protocol
from fer_core.evaluation.report_schema import StoredReport
from fer_core.runs.training_images import find_training_dataset
from fer_core.settings import settings


@dataclass(frozen=True)
class Evaluation:
    """A model's evaluation, as chosen on the page.

    Attributes:
        dataset: None if it is not in the store.
        stored: the stored reports of the split; None for predictions.
        predictions, images: None if only a report is stored.
        is_own: whether the dataset is the one of the model's own report.
    """

    model: ModelEntry
    dataset: StoredDataset | None
    is_own: bool
    split: str
    report: StoredReport
    stored: SplitReports | None = None
    predictions: DatasetPredictions | None = None
    images: EvaluatedImages | None = None
    version: str = ""
    """Changes with whatever the figures depend on; a key for caches."""

    @property
    def key(self) -> str:
        """A name for elements, without characters that a file name can't have."""
        return f"{self.model.id}-{self.dataset.id if self.dataset else 'report'}-{self.split}"


def find_own_dataset(model: ModelEntry) -> StoredDataset | None:
    """Find the dataset of a model's own report; None if it is not in the store."""
    if model.kind == "run":
        return find_training_dataset(model.folder, settings())
    name = evaluated_on(model)
    return next((dataset for dataset in list_datasets(settings()) if dataset.id == name), None)


def load_dataset_predictions(model: ModelEntry, dataset: StoredDataset) -> DatasetPredictions | None:
    """Load a model's stored predictions of a dataset with its newest corrections; None if there are none."""
    return _load(*_cache_key(model, dataset))


def load_images(
    model: ModelEntry, dataset: StoredDataset, split: str, protocol: Protocol, point: OperatingPoint
) -> EvaluatedImages | None:
    """Load the evaluated images of a split; None if there are no predictions.

    Raises:
        InputError: none of the images has a label that the model knows.
    """
    return _evaluate(*_cache_key(model, dataset), split, protocol, point)


def load_images_beside(model: ModelEntry, evaluation: Evaluation) -> EvaluatedImages | None:
    """Load another model's images for a comparison with an evaluation; None if it has no predictions of the dataset.

    Raises:
        InputError: the model has seen every image, or knows none of the labels.
    """
    assert evaluation.dataset is not None
    predictions = load_dataset_predictions(model, evaluation.dataset)
    if predictions is None:
        return None
    if not predictions.list_splits():
        raise InputError(
            f"{model.info.title or model.id} has seen every image of {evaluation.dataset.title}, so it can't be "
            "compared on it. Choose another dataset."
        )
    split, report = predictions.split_beside(evaluation.split), evaluation.report
    return load_images(model, evaluation.dataset, split, report.protocol, report.point)


def predictions_version(model: ModelEntry, dataset: StoredDataset) -> str:
    """Describe what the predictions and labels depend on, as a key for caches."""
    return "-".join(map(str, _cache_key(model, dataset)))


_Key = tuple[str, str, int, str, str, tuple[int, ...]]


def _cache_key(model: ModelEntry, dataset: StoredDataset) -> _Key:
    names = (MODEL_FILE, CALIBRATION_FILE, TRAINING_IMAGES_FILE)
    stored = sorted((settings().cache_dir / FOLDER).glob(f"{dataset.fingerprint}-*.parquet"))
    changed = tuple(
        path.stat().st_mtime_ns for path in (*(model.folder / name for name in names), *stored) if path.is_file()
    )
    version = dataset.corrections().version
    return dataset.id, dataset.fingerprint, version, model.id, str(model.folder), changed


@st.cache_resource(show_spinner="Reading the predictions", max_entries=8)
def _load(
    dataset_id: str, fingerprint: str, version: int, model_id: str, folder: str, changed: tuple[int, ...]
) -> DatasetPredictions | None:
    del fingerprint, version, model_id, changed  # cache key
    try:
        return load_predictions(Path(folder), open_dataset(dataset_id, settings()), settings())
    except NotPredictedError:
        return None


@st.cache_resource(show_spinner="Evaluating", max_entries=8)
def _evaluate(
    dataset_id: str,
    fingerprint: str,
    version: int,
    model_id: str,
    folder: str,
    changed: tuple[int, ...],
    split: str,
    protocol: Protocol,
    point: OperatingPoint,
) -> EvaluatedImages | None:
    predictions = _load(dataset_id, fingerprint, version, model_id, folder, changed)
    return None if predictions is None else predictions.evaluate(split, protocol, point)
