"""The figures by which a classifier is judged, with their intervals. scikit-learn computes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import InputError

CALIBRATION_BINS = 15
_RESAMPLES = 2000

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How one class fares. 0..1 each, `support` in images."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How a set of predictions fares. Rows of `confusion` are the true classes, columns the predicted.

    Macro figures average over the classes that occur among the true labels. `intervals` are 95 %,
    by resampling the images (multinomial bootstrap of the confusion matrix).
    """

    n: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    per_class: tuple[ClassFigures, ...]
    confusion: NDArray[np.int64]
    intervals: dict[str, Interval]
    recall_intervals: tuple[Interval, ...]


def figures(truth: NDArray[np.integer], predicted: NDArray[np.integer], classes: int) -> Figures:
    """Judge predictions.

    Args:
        truth: integers 0..classes-1, shape (N,).
        predicted: the same.
        classes: how many classes there are.
    Raises:
        InputError: there is nothing to judge.
    """
    from sklearn.metrics import (
        accuracy_score,
        confusion_matrix,
        f1_score,
        precision_recall_fscore_support,
        recall_score,
    )

    if len(truth) == 0:
        raise InputError("There are no labelled images to judge. Choose another split or protocol.")
    every = np.arange(classes)
    present = np.unique(truth)
    confusion = confusion_matrix(truth, predicted, labels=every)
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted, labels=every, zero_division=0)
    macro = {"labels": present, "average": "macro", "zero_division": 0}
    return Figures(
        n=len(truth),
        accuracy=float(accuracy_score(truth, predicted)),
        balanced_accuracy=float(recall_score(truth, predicted, **macro)),
        macro_f1=float(f1_score(truth, predicted, **macro)),
        per_class=tuple(
            ClassFigures(float(p), float(r), float(f), int(s))
            for p, r, f, s in zip(precision, recall, f1, support, strict=True)
        ),
        confusion=confusion.astype(np.int64),
        intervals=_intervals(confusion),
        recall_intervals=tuple(wilson_interval(int(confusion[c, c]), int(support[c])) for c in range(classes)),
    )


def wilson_interval(successes: int, trials: int) -> Interval:
    """95 % interval of a share, after Wilson (1927), "Probable inference", eq. for p given n and z."""
    if trials == 0:
        return (0.0, 1.0)
    z = 1.959964
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * ((share * (1 - share) + z * z / (4 * trials)) / trials) ** 0.5 / (1 + z * z / trials)
    return (max(0.0, centre - half), min(1.0, centre + half))


def paired_difference(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> tuple[float, Interval]:
    """How much accuracy is lost from one set of answers to another on the same images, with its 95 % interval.

    Wald's interval for the difference of paired shares (Agresti 2002, "Categorical Data Analysis", section 10.1.1).

    Args:
        before: whether each image was answered rightly, shape (N,), N > 0.
        after: the same of the other answers.
    Returns:
        the difference of the shares, -1..1, negative where `after` is better, and its bounds.
    """
    gaps = before.astype(float) - after.astype(float)
    lost, half = float(gaps.mean()), 1.959964 * float(gaps.std()) / len(gaps) ** 0.5
    return lost, (lost - half, lost + half)


def expected_calibration_error(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], bins: int = CALIBRATION_BINS
) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by their sizes.

    Guo et al. (2017), "On Calibration of Modern Neural Networks", eq. 3.

    Args:
        confidence: 0..1, shape (N,), the probability given to the predicted class.
        correct: shape (N,).
    """
    if len(confidence) == 0:
        return 0.0
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(place, weights=correct - confidence.astype(float), minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def _intervals(confusion: NDArray[np.integer]) -> dict[str, Interval]:
    """95 % intervals of the headline figures, from `_RESAMPLES` resampled confusion matrices."""
    classes = len(confusion)
    n = int(confusion.sum())
    shares = confusion.ravel() / n
    drawn = np.random.default_rng(0).multinomial(n, shares, size=_RESAMPLES)
    drawn = drawn.reshape(_RESAMPLES, classes, classes).astype(float)
    hits = np.diagonal(drawn, axis1=1, axis2=2)
    support, answers = drawn.sum(2), drawn.sum(1)
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(support + answers, 1)
    present = support > 0
    counted = present.sum(1)
    samples = {
        "accuracy": hits.sum(1) / n,
        "balanced_accuracy": (recall * present).sum(1) / counted,
        "macro_f1": (f1 * present).sum(1) / counted,
    }
    bounds = {name: np.percentile(values, [2.5, 97.5]) for name, values in samples.items()}
    return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}
