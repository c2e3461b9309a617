"""Scores of predictions with 95 % bootstrap intervals, of one model or of several on the same images."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import InputError
from fer_core.intervals import Interval
from fer_core.metrics import CALIBRATION_BINS, classification_metrics, expected_calibration_error

ScoreName = Literal[
    "macro_f1", "balanced_accuracy", "accuracy", "weighted_f1", "kappa", "mcc", "top2", "log_loss", "ece"
]

SCORE_TITLES: dict[ScoreName, str] = {
    "macro_f1": "Macro-F1",
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
    "weighted_f1": "Weighted F1",
    "kappa": "Cohen's kappa",
    "mcc": "Matthews correlation",
    "top2": "Top-2 accuracy",
    "log_loss": "Log loss",
    "ece": "Calibration error (ECE)",
}
"""In order of display."""

SHARES: tuple[ScoreName, ...] = ("macro_f1", "balanced_accuracy", "accuracy", "weighted_f1", "top2")
"""Those that are written as percentages."""

SAMPLES = 1000
_SEED = 0
_PROBABILITY_MIN = 1e-7
"""Smallest probability of the true class in the log loss, of float32."""


@dataclass(frozen=True)
class LabeledPredictions:
    """Predictions of labeled images.

    Attributes:
        truth: class indices, shape (N,), N > 0.
        probabilities: float32, shape (N, classes); rows sum to 1.
    Raises:
        InputError: there are no images.
    """

    truth: NDArray[np.int64]
    probabilities: NDArray[np.float32]

    def __post_init__(self) -> None:
        if not len(self.truth):
            raise InputError("There are no labeled images to evaluate. Choose another split, dataset or protocol.")

    @property
    def classes(self) -> int:
        """The number of classes."""
        return self.probabilities.shape[1]

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The likeliest class of each image."""
        return np.asarray(self.probabilities.argmax(1), np.int64)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of the likeliest class, 0..1."""
        return np.asarray(self.probabilities.max(1), np.float32)

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the likeliest class is the true one."""
        return np.asarray(self.predicted == self.truth, bool)

    @cached_property
    def in_top2(self) -> NDArray[np.bool_]:
        """Whether fewer than two classes are likelier than the true one."""
        return np.asarray((self.probabilities > self.of_truth[:, None]).sum(1) < 2, bool)

    @cached_property
    def of_truth(self) -> NDArray[np.float32]:
        """The probability of the true class, 0..1."""
        return np.take_along_axis(self.probabilities, self.truth[:, None], axis=1)[:, 0]

    @cached_property
    def loss(self) -> NDArray[np.float64]:
        """The cross-entropy of the true class, in nats."""
        return -np.log(np.clip(self.of_truth.astype(float), _PROBABILITY_MIN, None))


class Score(NamedTuple):
    """A score and its 95 % interval; nan where it is not defined, as kappa is for a single class."""

    value: float
    interval: Interval


class Resampled(NamedTuple):
    """What the scores are computed from, for each of R resamples of the images.

    Attributes:
        confusion: images, shape (R, classes, classes); rows are the true classes.
        top2, log_loss, ece: shape (R,).
    """

    confusion: NDArray[np.float64]
    top2: NDArray[np.float64]
    log_loss: NDArray[np.float64]
    ece: NDArray[np.float64]


def score(predictions: LabeledPredictions) -> dict[ScoreName, float]:
    """Compute the scores by scikit-learn; macro scores are over the classes that occur among the true labels."""
    from sklearn.metrics import cohen_kappa_score, f1_score, matthews_corrcoef

    truth, predicted = predictions.truth, predictions.predicted
    one_class = len(np.unique(np.concatenate([truth, predicted]))) == 1
    metrics = classification_metrics(truth, predicted, predictions.classes)
    return {
        "macro_f1": metrics.macro_f1,
        "balanced_accuracy": metrics.balanced_accuracy,
        "accuracy": metrics.accuracy,
        "weighted_f1": float(f1_score(truth, predicted, average="weighted", zero_division=0)),
        "kappa": math.nan if one_class else float(cohen_kappa_score(truth, predicted)),
        "mcc": math.nan if one_class else float(matthews_corrcoef(truth, predicted)),
        "top2": float(predictions.in_top2.mean()),
        "log_loss": float(predictions.loss.mean()),
        "ece": expected_calibration_error(predictions.confidence, predictions.correct),
    }


def score_with_intervals(predictions: LabeledPredictions) -> dict[ScoreName, Score]:
    """Compute the scores with their intervals: the 2.5 and 97.5 % quantiles over resamples of the images.

    Efron and Tibshirani (1993), "An Introduction to the Bootstrap", 13.3. ECE grows when images repeat, so its interval
    is shifted by the bootstrap's estimate of that bias (10.2). Of few images, ECE itself is too high (Roelofs et al.
    2022, "Mitigating Bias in Calibration Error Estimation"), and its interval with it.
    """
    values, samples = score(predictions), sample_scores(resample([predictions])[0])
    return {name: Score(value, percentile_interval(value, samples[name], name)) for name, value in values.items()}


def percentile_interval(value: float, samples: NDArray[np.float64], name: ScoreName | None = None) -> Interval:
    """Compute the 95 % interval from resampled values; it contains `value`. (nan, nan) without any.

    Args:
        name: of the score, as that of `ece` is corrected for its bias.
    """
    known = samples[~np.isnan(samples)]
    if math.isnan(value) or not len(known):
        return (math.nan, math.nan)
    bias = float(known.mean()) - value if name == "ece" else 0.0
    low, high = (np.quantile(known, (0.025, 0.975)) - bias).tolist()
    return (max(min(low, value), 0.0) if name == "ece" else min(low, value), max(high, value))


def resample(models: Sequence[LabeledPredictions], samples: int = SAMPLES, seed: int = _SEED) -> list[Resampled]:
    """Draw as many images as there are, with replacement, `samples` times; each draw is the same for all models.

    Args:
        models: at least one; of the same images, in the same order.
    """
    n, classes = len(models[0].truth), models[0].classes
    cells = [model.truth * classes + model.predicted for model in models]
    bins = [_calibration_bins(model.confidence) for model in models]
    gaps = [model.correct - model.confidence.astype(float) for model in models]
    means = [np.stack([model.in_top2, model.loss], axis=1) / n for model in models]
    drawn = [Resampled(np.zeros((samples, classes, classes)), *(np.zeros(samples) for _ in range(3))) for _ in models]
    for row, weights in enumerate(_draw(n, samples, seed)):
        for sums, cell, which, gap, mean in zip(drawn, cells, bins, gaps, means, strict=True):
            sums.confusion[row] = np.bincount(cell, weights, classes * classes).reshape(classes, classes)
            sums.top2[row], sums.log_loss[row] = weights @ mean
            sums.ece[row] = np.abs(np.bincount(which, weights * gap, CALIBRATION_BINS)).sum() / n
    return drawn


def sample_scores(sums: Resampled) -> dict[ScoreName, NDArray[np.float64]]:
    """Compute the scores of each resample, shape (R,); nan where one is not defined."""
    counts = sums.confusion
    total, support, predicted = counts.sum((1, 2)), counts.sum(2), counts.sum(1)
    hits, f1 = np.diagonal(counts, axis1=1, axis2=2), sample_class_f1(sums)
    chance = (support * predicted).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(support > 0, hits / support, np.nan)
        kappa = (hits.sum(1) * total - chance) / (total**2 - chance)
        spread = (total**2 - (predicted**2).sum(1)) * (total**2 - (support**2).sum(1))
        correlation = np.where(spread > 0, (hits.sum(1) * total - chance) / np.sqrt(spread), 0)
    return {
        "macro_f1": np.nanmean(np.where(support > 0, f1, np.nan), axis=1),
        "balanced_accuracy": np.nanmean(recall, axis=1),
        "accuracy": hits.sum(1) / total,
        "weighted_f1": (np.nan_to_num(f1) * support).sum(1) / total,
        "kappa": kappa,
        "mcc": correlation,
        "top2": sums.top2,
        "log_loss": sums.log_loss,
        "ece": sums.ece,
    }


def sample_class_f1(sums: Resampled) -> NDArray[np.float64]:
    """Compute each class's F1 in each resample, shape (R, classes); nan where it neither occurs nor is predicted."""
    counts = sums.confusion
    both = counts.sum(2) + counts.sum(1)
    hits = np.diagonal(counts, axis1=1, axis2=2)
    return np.divide(2 * hits, both, out=np.full(both.shape, np.nan), where=both > 0)


def _draw(n: int, samples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often each image is drawn, shape (n,)."""
    rng = np.random.default_rng(seed)
    for _ in range(samples):
        yield np.bincount(rng.integers(0, n, n, dtype=np.int32), minlength=n).astype(float)


def _calibration_bins(confidence: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(np.int64) - 1, 0, CALIBRATION_BINS - 1)
