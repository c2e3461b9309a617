"""Calibration curve, and accuracy below and above the confidence threshold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.evaluation.report_schema import CalibrationCurve, SelectiveAccuracy, SelectiveSide
from fer_core.intervals import wilson_interval
from fer_core.metrics import CALIBRATION_BINS

BIN_IMAGES_MIN = 10
"""Bins with fewer images are not plotted, unless all have fewer."""


def calibration_curve(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> CalibrationCurve:
    """Compute the calibration curve.

    Guo et al. (2017), "On Calibration of Modern Neural Networks", fig. 1; the gap of each bin, weighted by its
    images, adds up to `metrics.expected_calibration_error`.

    Args:
        confidence: 0..1, shape (N,), the probability given to the predicted class. A bin has its upper edge.
        correct: shape (N,).
    """
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(int) - 1, 0, CALIBRATION_BINS - 1)
    n = np.bincount(bins, minlength=CALIBRATION_BINS)

    def means(values: NDArray[np.generic]) -> list[float | None]:
        sums = np.bincount(bins, weights=values.astype(float), minlength=CALIBRATION_BINS)
        return [float(s / k) if k else None for s, k in zip(sums, n, strict=True)]

    return CalibrationCurve(n=n.tolist(), confidence=means(confidence), accuracy=means(correct))


class CalibrationBin(NamedTuple):
    """A bin of confidence from `low_01` to `high_01` with images; `interval` is the 95 % interval of its accuracy."""

    low_01: float
    high_01: float
    n: int
    confidence: float
    accuracy: float
    interval: tuple[float, float]


def nonempty_bins(curve: CalibrationCurve) -> list[CalibrationBin]:
    """List the bins with images, lowest confidence first."""
    edges = np.linspace(0, 1, CALIBRATION_BINS + 1).tolist()
    return [
        CalibrationBin(low, high, n, confidence, accuracy, wilson_interval(round(accuracy * n), n))
        for low, high, n, confidence, accuracy in zip(
            edges, edges[1:], curve.n, curve.confidence, curve.accuracy, strict=False
        )
        if confidence is not None and accuracy is not None
    ]


def bin_images_min(count_max: int) -> int:
    """Images that a bin needs to be plotted, where the fullest has `count_max`."""
    return min(BIN_IMAGES_MIN, count_max)


def selective_accuracy(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], confidence_threshold: float
) -> SelectiveAccuracy:
    """Count predictions below and above the confidence threshold, with their accuracy."""

    def side(of: NDArray[np.bool_]) -> SelectiveSide:
        return SelectiveSide(n=len(of), accuracy=float(of.mean()) if len(of) else None)

    below = confidence < confidence_threshold
    return SelectiveAccuracy(
        confidence_threshold=confidence_threshold, below=side(correct[below]), above=side(correct[~below])
    )
