"""How far confidences can be believed: the curve behind the calibration error, and the limit of certainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.intervals import wilson_interval
from fer_core.metrics import CALIBRATION_BINS

BIN_IMAGES_MIN = 10
"""Images of a bin that is drawn in any case."""


def calibration_curve(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], bins: int = CALIBRATION_BINS
) -> dict[str, list[Any]]:
    """Images, mean confidence and accuracy in equal-width bins of confidence; None where a bin has no images.

    Guo et al. (2017), "On Calibration of Modern Neural Networks", fig. 1; the gap of each bin, weighted by its
    images, adds up to `metrics.expected_calibration_error`.

    Args:
        confidence: 0..1, shape (N,), the probability given to the predicted class.
        correct: shape (N,).
    Returns:
        `n`, `confidence` and `accuracy`, a list each with an entry a bin, from 0 to 1. A bin has its upper edge.
    """
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    n = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, weights=values.astype(float), minlength=bins) for values in (confidence, correct)]
    means = [[float(s / k) if k else None for s, k in zip(each, n, strict=True)] for each in sums]
    return {"n": n.tolist(), "confidence": means[0], "accuracy": means[1]}


class CalibrationBin(NamedTuple):
    """A bin of confidence, from `low_01` to `high_01`, that has images; `interval` is its accuracy's, 95 %."""

    low_01: float
    high_01: float
    n: int
    confidence: float
    accuracy: float
    interval: tuple[float, float]


def nonempty_bins(curve: Mapping[str, Sequence[Any]]) -> list[CalibrationBin]:
    """The bins of a `calibration_curve` that have images, the least sure first."""
    bins = len(curve["n"])
    return [
        CalibrationBin(
            place / bins, (place + 1) / bins, n, confidence, accuracy, wilson_interval(round(accuracy * n), n)
        )
        for place, (n, confidence, accuracy) in enumerate(
            zip(curve["n"], curve["confidence"], curve["accuracy"], strict=True)
        )
        if n
    ]


def bin_images_min(most: int) -> int:
    """How many images a bin needs to be drawn, where the fullest has `most`: the accuracy of a few is chance."""
    return min(BIN_IMAGES_MIN, most)


def selective_accuracy(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], confidence_threshold: float
) -> dict[str, Any]:
    """How many answers are below the limit of certainty and not, and how often each kind is right (None: none are)."""
    unsure = confidence < confidence_threshold
    return {
        "confidence_threshold": confidence_threshold,
        "below": _accuracy(correct[unsure]),
        "above": _accuracy(correct[~unsure]),
    }


def _accuracy(correct: NDArray[np.bool_]) -> dict[str, Any]:
    return {"n": len(correct), "accuracy": float(correct.mean()) if len(correct) else None}
