"""A model's stored predictions of a dataset, in the order of its index, and the job that computes them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.bundles.bundle import MODEL_FILE, Bundle
from fer_core.bundles.catalog import ModelEntry
from fer_core.calibration import CALIBRATION_FILE, Calibration, OperatingPoint
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.imbalance.counts import category_codes
from fer_core.data.training_images import truncate_hashes
from fer_core.evaluation.prediction_cache import PredictionKey, aligned_logits, read_predictions
from fer_core.labels import Expression
from fer_core.runs.training_images import load_training_images
from fer_core.settings import settings
from fer_ui.formatting import format_percent

_TIMED_FACES = 16


@dataclass(frozen=True, slots=True)
class Predicted:
    """Predictions of every image of an index; arrays of its length.

    Attributes:
        labels: the model's, in the order of `probabilities`.
        probabilities: float32, shape (N, classes), calibrated; nan for an image without a prediction.
        codes: position of the likeliest label; -1 without a prediction.
        trained_on: images that the model was trained or selected on; None if unknown.
    """

    labels: tuple[Expression, ...]
    probabilities: NDArray[np.float32]
    codes: NDArray[np.int64]
    trained_on: NDArray[np.bool_] | None

    @property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of the likeliest label; nan without a prediction."""
        return np.asarray(self.probabilities.max(axis=1), np.float32)

    def loss(self, labels: pd.Series) -> NDArray[np.float32]:
        """The cross-entropy of each label, in nats; nan without a label that the model knows or a prediction."""
        codes = category_codes(labels, [str(label) for label in self.labels])
        of_label = np.take_along_axis(self.probabilities, np.maximum(codes, 0)[:, None], axis=1)[:, 0]
        with np.errstate(divide="ignore"):
            return np.where(codes >= 0, -np.log(of_label), np.nan).astype(np.float32)

    def loss_of(self, row: int, label: Expression) -> float:
        """The cross-entropy of a label of the model on one row, in nats."""
        return -math.log(max(float(self.probabilities[row, self.labels.index(label)]), 1e-12))

    def expression(self, row: int) -> Expression | None:
        """The likeliest expression of a row; None without a prediction."""
        return None if self.codes[row] < 0 else self.labels[self.codes[row]]

    def by_expression(self, row: int) -> Mapping[Expression, float]:
        """The probabilities of a row."""
        return dict(zip(self.labels, map(float, self.probabilities[row]), strict=True))


def load_predicted(dataset: StoredDataset, model: ModelEntry) -> Predicted | None:
    """Load the stored predictions of a model; None if they are not computed yet."""
    path = _key(dataset.fingerprint, model.folder, _changed(model.folder)).path(settings())
    if not path.is_file():
        return None
    return _load(dataset.id, dataset.fingerprint, str(path), path.stat().st_mtime_ns, model.folder)


def estimate_seconds(dataset: StoredDataset, model: ModelEntry) -> float:
    """Estimate how long predicting the dataset takes on this machine, from a few blank faces."""
    return dataset.n * _seconds_per_face(model.folder, _changed(model.folder))


def _changed(folder: Path) -> int:
    return (folder / MODEL_FILE).stat().st_mtime_ns


@st.cache_data(show_spinner=False, max_entries=64)
def _key(fingerprint: str, folder: Path, changed: int) -> PredictionKey:
    del changed  # part of the cache key
    return PredictionKey.of(fingerprint, folder)


@st.cache_data(show_spinner="Timing the model", max_entries=64)
def _seconds_per_face(folder: Path, changed: int) -> float:
    del changed  # part of the cache key
    bundle = Bundle.open(folder)
    size = bundle.contract.size_px
    faces = np.zeros((_TIMED_FACES, bundle.contract.channels, size, size), np.float32)
    start = time.perf_counter()
    bundle.logits(faces)
    return (time.perf_counter() - start) / _TIMED_FACES


@st.cache_resource(show_spinner="Reading the predictions", max_entries=2)
def _load(dataset_id: str, fingerprint: str, path: str, changed: int, folder: Path) -> Predicted | None:
    del fingerprint, changed  # part of the cache key
    table = read_predictions(Path(path))
    if table is None:
        return None
    contract = Contract.load(folder / CONTRACT_FILE)
    calibration = Calibration.load(folder / CALIBRATION_FILE, contract.labels)
    index = open_dataset(dataset_id, settings()).raw_index(["id", "sha256"])
    logits = aligned_logits(table, index["id"], contract)
    probabilities = calibration.probabilities(logits, OperatingPoint.ACCURATE)
    known = ~np.isnan(logits).any(axis=1)
    codes = np.full(len(index), -1, np.int64)
    codes[known] = probabilities[known].argmax(axis=1)
    return Predicted(tuple(contract.labels), probabilities, codes, _trained_on(index, folder))


def _trained_on(index: pd.DataFrame, folder: Path) -> NDArray[np.bool_] | None:
    images = load_training_images(folder, settings())
    if images is None:
        return None
    trained, selected, _ = images.match(truncate_hashes(index["sha256"]))
    return trained | selected


def describe_prediction(predicted: Predicted, positions: Mapping[str, int], row: Mapping[str, Any]) -> str:
    """Describe the prediction of one face in a gallery: "→ Fear 57.0 %"; "" without one.

    Args:
        positions: row numbers by id.
    """
    number = positions[str(row["id"])]
    expression = predicted.expression(number)
    if expression is None:
        return ""
    confidence = format_percent(float(predicted.probabilities[number].max()))
    return f"\N{RIGHTWARDS ARROW} {expression.value.capitalize()} {confidence}"
