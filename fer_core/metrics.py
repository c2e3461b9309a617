"""Classification metrics with 95 % intervals, computed by scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import InputError
from fer_core.intervals import Interval, difference_interval, f1_interval, macro_intervals, wilson_interval
from fer_core.labels import Expression

MetricName = Literal["macro_f1", "balanced_accuracy", "accuracy"]

HEADLINE_METRICS: tuple[MetricName, ...] = ("macro_f1", "balanced_accuracy", "accuracy")
"""In order of display: the one that counts every expression alike comes first."""

METRIC_TITLES = {
    "macro_f1": "Macro-F1",
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
    "loss": "Loss",
    **{f"f1_{expression}": f"F1 of {expression}" for expression in Expression},
}

CALIBRATION_BINS = 15

FEW_IMAGES = 30
"""Metrics on fewer images are hints, not results."""

RANKED_IMAGES_MIN = 10
"""Classes with fewer images are never called the best, the lowest or the most confused: their shares are chance."""


@dataclass(frozen=True, slots=True)
class ClassMetrics:
    """Metrics of one class, 0..1, with 95 % intervals, from 0 to 1 if unknown; `support` is in images."""

    precision: float
    recall: float
    f1: float
    support: int
    precision_interval: Interval
    recall_interval: Interval
    f1_interval: Interval


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics of a set of predictions. Rows of `confusion` are the true classes, columns the predicted ones.

    Macro metrics average over the classes that occur among the true labels. `intervals` are 95 %: see
    `fer_core.intervals`.
    """

    n: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    per_class: tuple[ClassMetrics, ...]
    confusion: NDArray[np.int64]
    intervals: dict[str, Interval]


def classification_metrics(truth: NDArray[np.integer], predicted: NDArray[np.integer], classes: int) -> Metrics:
    """Compute the metrics of predictions.

    Args:
        truth: class indices, shape (N,).
        predicted: as `truth`.
        classes: number of classes.
    Raises:
        InputError: there are no images.
    """
    from sklearn.metrics import (
        accuracy_score,
        confusion_matrix,
        f1_score,
        precision_recall_fscore_support,
        recall_score,
    )

    if len(truth) == 0:
        raise InputError("There are no labeled images to evaluate. Choose another split or protocol.")
    indices = np.arange(classes)
    present = np.unique(truth)
    confusion = confusion_matrix(truth, predicted, labels=indices)
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted, labels=indices, zero_division=0)
    macro = {"labels": present, "average": "macro", "zero_division": 0}
    return Metrics(
        n=len(truth),
        accuracy=float(accuracy_score(truth, predicted)),
        balanced_accuracy=float(recall_score(truth, predicted, **macro)),
        macro_f1=float(f1_score(truth, predicted, **macro)),
        per_class=tuple(
            ClassMetrics(float(p), float(r), float(f), int(s), *bounds)
            for p, r, f, s, bounds in zip(precision, recall, f1, support, class_intervals(confusion), strict=True)
        ),
        confusion=confusion.astype(np.int64),
        intervals={
            "accuracy": wilson_interval(int(np.trace(confusion)), len(truth)),
            **macro_intervals(confusion),
        },
    )


def class_intervals(confusion: NDArray[np.integer]) -> list[tuple[Interval, Interval, Interval]]:
    """Compute the 95 % intervals of each class's precision, recall and F1."""
    counts = (np.diagonal(confusion), confusion.sum(1), confusion.sum(0))
    return [
        (wilson_interval(hit, predicted), wilson_interval(hit, labeled), f1_interval(hit, labeled, predicted))
        for hit, labeled, predicted in zip(*(each.tolist() for each in counts), strict=True)
    ]


def paired_difference(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> tuple[float, Interval]:
    """Compute the drop in accuracy from one set of predictions to another on the same images, with its 95 % interval.

    Args:
        before: whether each image was classified correctly, shape (N,), N > 0.
        after: as `before`, for the other predictions.
    Returns:
        the difference of the accuracies, -1..1, negative if `after` is better, and its interval.
    """
    won, lost = int((before & ~after).sum()), int((after & ~before).sum())
    return (won - lost) / len(before), difference_interval(won, lost, len(before))


def expected_calibration_error(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> float:
    """Compute the mean gap between confidence and accuracy over equal-width bins, weighted by their sizes.

    Guo et al. (2017), "On Calibration of Modern Neural Networks", eq. 3.

    Args:
        confidence: 0..1, shape (N,), the probability given to the predicted class.
        correct: shape (N,).
    """
    if len(confidence) == 0:
        return 0.0
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(int) - 1, 0, CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=correct - confidence.astype(float), minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(confidence))
