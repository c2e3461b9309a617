"""95 % confidence intervals of proportions, F1 and macro metrics, and of differences.

Those of proportions and metrics never have zero width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]

Z_95 = 1.959964
"""97.5 % quantile of the standard normal distribution."""

_POISSON_LOW = (0.051293, 0.355362, 0.817691)
"""Half the 5 % quantile of chi-squared with 2, 4 and 6 degrees of freedom."""

_FEW_TRIALS = 50
_BOOTSTRAP_SAMPLES, _BOOTSTRAP_SEED = 1000, 0
_SMALLEST = 1e-12


def wilson_interval(successes: int, trials: int) -> Interval:
    """Compute Wilson's interval of a proportion (1927, "Probable inference"); (0, 1) without trials.

    Near 0 and 1, where Wilson's covers the truth in as few as 84 % of cases, it is modified as in Brown, Cai and
    DasGupta (2001), "Interval Estimation for a Binomial Proportion", 4.1.1.
    """
    if trials == 0:
        return (0.0, 1.0)
    low, high = _wilson(successes / trials, trials)
    modified = len(_POISSON_LOW) if trials > _FEW_TRIALS else len(_POISSON_LOW) - 1
    if 0 < successes <= modified:
        low = min(low, _POISSON_LOW[successes - 1] / trials)
    if 0 < trials - successes <= modified:
        high = max(high, 1 - _POISSON_LOW[trials - successes - 1] / trials)
    return (low, high)


def recall_margin_01(images: int) -> float:
    """Compute half the interval of a recall of one half, where it is widest."""
    low, high = wilson_interval(images // 2, images)
    return (high - low) / 2


def f1_interval(hits: int, support: int, predicted: int) -> Interval:
    """Compute the interval of a class's F1.

    F1 is 2 J / (1 + J), where J is the share of hits among all images that have the label or the prediction (Hand,
    Christen and Kirielle 2021, "F*: an interpretable transformation of the F-measure"); J's bounds are Wilson's.
    """
    low, high = wilson_interval(hits, support + predicted - hits)
    return (2 * low / (1 + low), 2 * high / (1 + high))


def difference_interval(won: int, lost: int, trials: int) -> Interval:
    """Compute the interval of the difference of two proportions on the same images, -1..1.

    Bonett and Price (2012), "Adjusted Wald Confidence Interval for a Difference of Binomial Proportions Based on Paired
    Data".

    Args:
        won: images that count only for the first proportion.
        lost: images that count only for the second.
        trials: all images.
    """
    first, second = (won + 1) / (trials + 2), (lost + 1) / (trials + 2)
    half = Z_95 * ((first + second - (first - second) ** 2) / (trials + 2)) ** 0.5
    return (max(-1.0, first - second - half), min(1.0, first - second + half))


def macro_intervals(confusion: NDArray[np.integer]) -> dict[str, Interval]:
    """Compute the intervals of macro-F1 and balanced accuracy, given the number of images of each class.

    Each class's recall is moved to its Wilson bounds in turn, and the changes of the metric are added in squares (Zou
    and Donner 2008, "Construction of confidence limits about effect measures"; for means of proportions Zou, Huang and
    Zhang 2009). For macro-F1, the variance of which classes the errors are predicted as is added. Near 0 and 1, where
    the sum of squares is too narrow, the interval is at least Wilson's for the effective sample size (Kish 1965,
    "Survey Sampling").

    Args:
        confusion: rows are the true classes, shape (C, C); not all zero.
    """
    counts = confusion.astype(float)
    support, present = counts.sum(1), np.flatnonzero(counts.sum(1))
    metrics = _macro_metrics(counts[None])[0]
    errors = _error_shares(counts)
    moved = np.array([_at_bounds(counts, errors, int(index)) for index in present])  # (classes, low and high, C, C)
    shifts = np.abs(metrics - _macro_metrics(moved))
    halves = (shifts**2).sum(0) + np.array([Z_95**2 * _error_spread(counts, errors, moved[:, 0], present), 0.0])
    low, high = metrics - halves[0] ** 0.5, metrics + halves[1] ** 0.5
    effective_size = float(len(present) ** 2 / (1 / support[present]).sum())
    intervals = {}
    for name, value, bottom, top in zip(("macro_f1", "balanced_accuracy"), metrics, low, high, strict=True):
        variance = max(((top - bottom) / (2 * Z_95)) ** 2, _SMALLEST)
        least = _wilson(float(value), max(effective_size, float(value * (1 - value) / variance)))
        intervals[name] = (max(0.0, min(float(bottom), least[0])), min(1.0, max(float(top), least[1])))
    return intervals


def macro_f1_difference(
    truth: NDArray[np.integer], first: NDArray[np.integer], second: NDArray[np.integer], classes: int
) -> tuple[float, Interval]:
    """Compute the difference of two models' macro-F1 on the same images, with its 95 % interval, -1..1.

    The interval is that of a bootstrap over the images of each class, paired: an image counts for both models or for
    neither (Efron and Tibshirani 1993, "An Introduction to the Bootstrap").

    Args:
        truth: class indices, shape (N,), N > 0.
        first: predicted class indices, as `truth`.
        second: those of the other model; the difference is its macro-F1 minus the first one's.
    """
    rng = np.random.default_rng(_BOOTSTRAP_SEED)
    # Of each class, only how many images have which pair of predictions matters.
    pairs = np.zeros((classes, classes, classes))
    np.add.at(pairs, (truth, first, second), 1)
    resampled = np.zeros((_BOOTSTRAP_SAMPLES, classes, classes, classes))
    for label in np.flatnonzero(pairs.sum((1, 2))):
        n = pairs[label].sum()
        cells = rng.multinomial(int(n), (pairs[label] / n).ravel(), _BOOTSTRAP_SAMPLES)
        resampled[:, label] = cells.reshape(_BOOTSTRAP_SAMPLES, classes, classes)
    difference, *samples = (
        _macro_metrics(each.sum(-2))[..., 0] - _macro_metrics(each.sum(-1))[..., 0] for each in (pairs, resampled)
    )
    low, high = np.quantile(samples[0], (0.025, 0.975))
    return float(difference), (min(float(low), float(difference)), max(float(high), float(difference)))


def unpaired_difference(first: float, first_interval: Interval, second: float, second_interval: Interval) -> Interval:
    """Compute the interval of `second - first` from their own intervals, as if of different images.

    Zou and Donner (2008); too wide for models that err on the same images.
    """
    low = second - first - ((second - second_interval[0]) ** 2 + (first_interval[1] - first) ** 2) ** 0.5
    high = second - first + ((second_interval[1] - second) ** 2 + (first - first_interval[0]) ** 2) ** 0.5
    return (max(-1.0, low), min(1.0, high))


def _wilson(share: float, trials: float) -> Interval:
    """Compute Wilson's interval; `trials` can be fractional."""
    z2 = Z_95 * Z_95
    center = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z_95 * ((share * (1 - share) + z2 / (4 * trials)) / trials) ** 0.5 / (1 + z2 / trials)
    return (max(0.0, min(share, center - half)), min(1.0, max(share, center + half)))  # against rounding errors


def _macro_metrics(counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute macro-F1 and balanced accuracy over the classes that occur; shape (..., 2) of (..., C, C)."""
    hits, support, predicted = np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(-1), counts.sum(-2)
    occurs = support > 0
    f1 = 2 * hits / np.where(occurs, support + predicted, 1)
    recall = hits / np.where(occurs, support, 1)
    both = np.stack([(f1 * occurs).sum(-1), (recall * occurs).sum(-1)], axis=-1)
    return np.asarray(both / occurs.sum(-1)[..., None], np.float64)


def _error_shares(counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Estimate which classes each class's errors are predicted as; rows sum to 1.

    One error distributed like all predictions is added to the observed ones.
    """
    off_diagonal = 1 - np.eye(len(counts))
    others = np.tile(counts.sum(0), (len(counts), 1)) * off_diagonal
    others = np.where(others.sum(1, keepdims=True) == 0, off_diagonal, others)
    shares = counts * off_diagonal + others / np.maximum(others.sum(1, keepdims=True), 1)
    return np.asarray(shares / np.maximum(shares.sum(1, keepdims=True), _SMALLEST), np.float64)


def _at_bounds(counts: NDArray[np.floating], errors: NDArray[np.float64], index: int) -> NDArray[np.float64]:
    """Move one class's recall to its lower and upper bound; shape (2, C, C)."""
    support = counts[index].sum()
    moved = np.stack([counts, counts])
    for matrix, bound in zip(moved, wilson_interval(round(counts[index, index]), round(support)), strict=True):
        matrix[index] = errors[index] * (1 - bound) * support
        matrix[index, index] = bound * support
    return moved


def _error_spread(
    counts: NDArray[np.floating], errors: NDArray[np.float64], lowest: NDArray[np.float64], present: NDArray[np.intp]
) -> float:
    """Compute the variance of macro-F1 from which classes the errors are predicted as, by the delta method.

    Args:
        lowest: for each class that occurs, the matrix with its recall at the lower bound.
    """
    hits, both = np.diagonal(counts), counts.sum(0) + counts.sum(1)
    costs = np.zeros(len(counts))
    costs[present] = 2 * hits[present] / both[present] ** 2 / len(present)
    spread = 0.0
    for matrix, index in zip(lowest, present, strict=True):
        mean = errors[index] @ costs
        spread += (matrix[index].sum() - matrix[index, index]) * (errors[index] @ costs**2 - mean**2)
    return max(0.0, float(spread))
