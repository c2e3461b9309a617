"""Curves over a threshold: precision-recall and ROC of each class, scores by threshold, and accuracy by coverage."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.evaluation.scores import LabeledPredictions
from fer_core.intervals import Z_95, Interval

POINTS_MAX = 60
"""Points of a curve that are kept for drawing."""

_CONFIDENCE_BINS = 10
_THRESHOLDS = np.round(np.linspace(0, 1, 101), 2)

Values = NDArray[np.float64]


class ClassCurves(NamedTuple):
    """The curves of one class against the others, thinned to `POINTS_MAX` points; summaries are of all images.

    Attributes:
        label: the class index.
        recall, precision: of the precision-recall curve, recall ascending.
        false_positives, true_positives: rates of the ROC curve, ascending.
        auc_interval: 95 %.
    """

    label: int
    positives: int
    recall: Values
    precision: Values
    average_precision: float
    false_positives: Values
    true_positives: Values
    auc: float
    auc_interval: Interval


class ThresholdCurve(NamedTuple):
    """Scores of a class that is found where its probability is at least a threshold; precision is nan without any."""

    thresholds: Values
    precision: Values
    recall: Values
    f1: Values

    @property
    def best(self) -> int:
        """The number of the threshold with the highest F1; the lowest of equals."""
        return int(self.f1.argmax())

    def at(self, threshold: float) -> int:
        """The number of the threshold that is closest."""
        return int(np.abs(self.thresholds - threshold).argmin())


class CoverageCurve(NamedTuple):
    """Accuracy of the most confident images, by the share that they are of all, thinned to `POINTS_MAX` points.

    Attributes:
        threshold: the confidence of the least confident image that is kept.
        area: under the curve of errors, of all images (AURC); 0 is perfect.
        answered: share of the images whose confidence reaches the model's threshold, of all images.
        answered_accuracy: accuracy on them; nan without any.
    """

    coverage: Values
    accuracy: Values
    threshold: Values
    area: float
    answered: float
    answered_accuracy: float


def class_curves(predictions: LabeledPredictions) -> list[ClassCurves]:
    """Compute the curves of each class that some images have and others don't, by scikit-learn."""
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    found = []
    for label in range(predictions.classes):
        positive, scores = predictions.truth == label, predictions.probabilities[:, label]
        n = int(positive.sum())
        if n in (0, len(positive)):
            continue
        precision, recall, _ = precision_recall_curve(positive, scores)
        false, true, _ = roc_curve(positive, scores)
        kept, kept_roc = thin(recall[::-1]), thin(false + true)
        auc = float(roc_auc_score(positive, scores))
        found.append(
            ClassCurves(
                label=label,
                positives=n,
                recall=recall[::-1][kept],
                precision=precision[::-1][kept],
                average_precision=float(average_precision_score(positive, scores)),
                false_positives=false[kept_roc],
                true_positives=true[kept_roc],
                auc=auc,
                auc_interval=auc_interval(auc, n, len(positive) - n),
            )
        )
    return found


def auc_interval(auc: float, positives: int, negatives: int) -> Interval:
    """Compute the 95 % interval of an area under a ROC curve, on the scale of its logit, so that it stays within 0..1.

    The variance is that of Hanley and McNeil (1982), "The meaning and use of the area under a ROC curve", eq. 1.
    """
    area = min(max(auc, 0.5 / (positives * negatives)), 1 - 0.5 / (positives * negatives))
    both_positive, both_negative = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area) + (positives - 1) * (both_positive - area**2) + (negatives - 1) * (both_negative - area**2)
    ) / (positives * negatives)
    half = Z_95 * math.sqrt(max(variance, 0)) / (area * (1 - area))
    center = math.log(area / (1 - area))
    low, high = (1 / (1 + math.exp(-(center + sign * half))) for sign in (-1, 1))
    return (min(low, auc), max(high, auc))


def threshold_curve(predictions: LabeledPredictions, label: int) -> ThresholdCurve:
    """Compute the scores of a class by the threshold of its probability, in steps of 0.01."""
    scores, positive = predictions.probabilities[:, label], predictions.truth == label
    found = np.array([np.count_nonzero(scores >= threshold) for threshold in _THRESHOLDS], float)
    hits = np.array([np.count_nonzero(scores[positive] >= threshold) for threshold in _THRESHOLDS], float)
    n = max(int(positive.sum()), 1)
    precision = np.divide(hits, found, out=np.full(len(found), np.nan), where=found > 0)
    return ThresholdCurve(_THRESHOLDS, precision, hits / n, 2 * hits / (found + n))


def coverage_curve(predictions: LabeledPredictions, confidence_threshold: float = 0.0) -> CoverageCurve:
    """Compute how accuracy rises when the model abstains from the images of which it is least confident.

    Geifman and El-Yaniv (2017), "Selective Classification for Deep Neural Networks". Images of equal confidence are
    kept or left together.

    Args:
        confidence_threshold: of the model, for `answered`.
    """
    order = np.argsort(-predictions.confidence, kind="stable")
    confidence, correct = predictions.confidence[order].astype(float), predictions.correct[order]
    count = np.arange(1, len(order) + 1)
    accuracy = np.cumsum(correct) / count
    last = np.flatnonzero(np.append(confidence[1:] < confidence[:-1], True))
    kept = last[thin(count[last] / len(order))]
    ends = last[np.searchsorted(last, np.arange(len(order)))]  # of each image, the last one of equal confidence
    answered = predictions.confidence >= confidence_threshold
    return CoverageCurve(
        coverage=count[kept] / len(order),
        accuracy=accuracy[kept],
        threshold=confidence[kept],
        area=float(1 - accuracy[ends].mean()),
        answered=float(answered.mean()),
        answered_accuracy=float(predictions.correct[answered].mean()) if answered.any() else math.nan,
    )


def confidence_table(predictions: LabeledPredictions) -> pd.DataFrame:
    """Count right and wrong predictions in ten bins of confidence: `from`, `to`, `right`, `wrong`; highest first."""
    bins = np.clip((predictions.confidence * _CONFIDENCE_BINS).astype(int), 0, _CONFIDENCE_BINS - 1)
    right = np.bincount(bins, predictions.correct, _CONFIDENCE_BINS).astype(int)
    table = pd.DataFrame(
        {
            "from": np.arange(_CONFIDENCE_BINS) / _CONFIDENCE_BINS,
            "to": np.arange(1, _CONFIDENCE_BINS + 1) / _CONFIDENCE_BINS,
            "right": right,
            "wrong": np.bincount(bins, minlength=_CONFIDENCE_BINS) - right,
        }
    )
    lowest = int(np.flatnonzero(table["right"] + table["wrong"])[0])
    return table.iloc[lowest:][::-1].reset_index(drop=True)


def thin(places: NDArray[np.floating]) -> NDArray[np.intp]:
    """Select at most `POINTS_MAX` points of a curve, the first and the last among them, evenly along `places`.

    Args:
        places: ascending, shape (N,).
    """
    if len(places) <= POINTS_MAX:
        return np.arange(len(places))
    wanted = np.linspace(places[0], places[-1], POINTS_MAX)
    kept = np.searchsorted(places, wanted[1:-1])
    return np.unique(np.concatenate([[0], kept, [len(places) - 1]]))
