"""A model's predictions of the images that it is evaluated on, image by image, with their labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.calibration import Calibration, OperatingPoint
from fer_core.data.training_images import ExcludedImages
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.evaluation.predictions import Protocol, table_logits, true_labels
from fer_core.evaluation.report import build_report
from fer_core.evaluation.report_schema import StoredReport
from fer_core.evaluation.scores import LabeledPredictions
from fer_core.labels import Expression, LabelSet


@dataclass(frozen=True)
class EvaluatedImages:
    """A model's predictions of N images, with their labels.

    Attributes:
        labels: the K classes of the model.
        positions: rows of the dataset's index, ascending, shape (N,).
        ids: of the images, shape (N,).
        truth: class indices, shape (N,); -1 without a label that the model knows.
        probabilities: float32, shape (N, K), calibrated at the operating point.
        votes: integers, shape (N, 10); None if the dataset has none.
        report: of those with a label.
        excluded: images of the split that are not evaluated as the model has seen them.
    """

    labels: tuple[Expression, ...]
    positions: NDArray[np.intp]
    ids: NDArray[np.object_]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    votes: NDArray[np.int64] | None
    report: StoredReport
    excluded: ExcludedImages

    @cached_property
    def labeled(self) -> Self:
        """Those that have a label."""
        return self.select(self.truth >= 0)

    @cached_property
    def labeled_predictions(self) -> LabeledPredictions:
        """Truth and probabilities of those that have a label, for the scores."""
        return LabeledPredictions(self.labeled.truth, self.labeled.probabilities)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The likeliest class of each image, shape (N,)."""
        return np.asarray(self.probabilities.argmax(1), np.int64)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of the likeliest class, shape (N,)."""
        return np.asarray(self.probabilities.max(1), np.float32)

    def select(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Select images by a mask or by their numbers; the report stays that of all."""
        votes = None if self.votes is None else self.votes[which]
        arrays = (self.positions[which], self.ids[which], self.truth[which], self.probabilities[which], votes)
        return type(self)(self.labels, *arrays, self.report, self.excluded)

    def cell(self, label: Expression, predicted: Expression) -> NDArray[np.intp]:
        """Find the images of a cell of the confusion matrix, the most confident first: numbers, 0..N-1."""
        row, column = self.labels.index(label), self.labels.index(predicted)
        found = np.flatnonzero((self.truth == row) & (self.predicted == column))
        return found[np.argsort(-self.confidence[found], kind="stable")]


def evaluate_table(
    table: pd.DataFrame,
    rows: pd.DataFrame,
    calibration: Calibration,
    labels: LabelSet,
    protocol: Protocol,
    point: OperatingPoint,
    excluded: ExcludedImages,
) -> EvaluatedImages:
    """Evaluate predictions by one protocol at one operating point.

    Args:
        table: see `predictions.prediction_table`; indexed by the positions of the images in `rows`.
        rows: of an index, whose votes are used.
        excluded: what was left out before.
    Raises:
        InputError: no image has a label that the model knows, or there are no votes for the protocol.
    """
    positions, votes = table.index.to_numpy(np.intp), None
    if VOTE_COLUMNS[0] in rows:
        votes = rows[list(VOTE_COLUMNS)].iloc[positions].fillna(0).to_numpy(np.int64)
    return EvaluatedImages(
        labels=tuple(labels),
        positions=positions,
        ids=table["id"].to_numpy(object),
        truth=true_labels(table, protocol, labels),
        probabilities=calibration.probabilities(table_logits(table, labels), point),
        votes=votes,
        report=build_report(table, calibration, labels, protocol, point),
        excluded=excluded,
    )
