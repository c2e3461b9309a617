"""95 % intervals of figures that are shares. None has zero width: ten of ten right does not prove that all would be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]

_Z = 1.959964
_POISSON_LOW = (0.051293, 0.355362, 0.817691)
"""The mean of a Poisson variable that is 1, 2 or 3 or more in 5 % of cases: half the 5 % quantile of chi-squared with
2, 4 and 6 degrees of freedom."""

_FEW_TRIALS = 50
_SMALLEST = 1e-12


def wilson_interval(successes: int, trials: int) -> Interval:
    """95 % interval of a share, after Wilson (1927), "Probable inference"; of no trials, from 0 to 1.

    Beside 0 and 1 as Brown, Cai and DasGupta modify it (2001, "Interval Estimation for a Binomial Proportion", 4.1.1),
    where Wilson's own holds the truth in no more than 84 % of cases.
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


def f1_interval(hits: int, support: int, answers: int) -> Interval:
    """95 % interval of a class's F1.

    F1 is 2 J / (1 + J), with J the hits' share of all images that have the label or got it as the answer (Hand,
    Christen and Kirielle 2021, "F*: an interpretable transformation of the F-measure"); J's bounds are Wilson's.
    """
    low, high = wilson_interval(hits, support + answers - hits)
    return (2 * low / (1 + low), 2 * high / (1 + high))


def difference_interval(won: int, lost: int, trials: int) -> Interval:
    """95 % interval of the difference of two shares on the same images, -1..1.

    Bonett and Price (2012), "Adjusted Wald Confidence Interval for a Difference of Binomial Proportions Based on Paired
    Data": one image more is counted on either side.

    Args:
        won: images that count for the first share alone.
        lost: images that count for the second share alone.
        trials: all images.
    """
    first, second = (won + 1) / (trials + 2), (lost + 1) / (trials + 2)
    half = _Z * ((first + second - (first - second) ** 2) / (trials + 2)) ** 0.5
    return (max(-1.0, first - second - half), min(1.0, first - second + half))


def macro_intervals(confusion: NDArray[np.integer]) -> dict[str, Interval]:
    """95 % intervals of macro-F1 and balanced accuracy, given how many images each class has.

    The recalls of different classes are independent. Each in turn is moved to its Wilson bounds, its errors spread as
    they and all answers are, and what that does to the figure is added in squares (Zou and Donner 2008, "Construction
    of confidence limits about effect measures"; for means of shares Zou, Huang and Zhang 2009). To macro-F1 comes how
    far it matters which class an error is taken for. Near 0 and 1, where the sum of squares is too narrow, the interval
    is at least Wilson's for as many images as the classes' weights are worth (Kish 1965, "Survey Sampling").

    Args:
        confusion: rows are the true classes, shape (C, C), some image in it.
    """
    counts = confusion.astype(float)
    support, present = counts.sum(1), np.flatnonzero(counts.sum(1))
    figures = _macro_figures(counts[None])[0]
    errors = _error_shares(counts)
    moved = np.array([_at_bounds(counts, errors, int(place)) for place in present])  # (classes, low and high, C, C)
    shifts = np.abs(figures - _macro_figures(moved))
    halves = (shifts**2).sum(0) + np.array([_Z**2 * _error_spread(counts, errors, moved[:, 0], present), 0.0])
    low, high = figures - halves[0] ** 0.5, figures + halves[1] ** 0.5
    worth = len(present) ** 2 / (1 / support[present]).sum()
    found = {}
    for name, figure, bottom, top in zip(("macro_f1", "balanced_accuracy"), figures, low, high, strict=True):
        variance = max(((top - bottom) / (2 * _Z)) ** 2, _SMALLEST)
        least = _wilson(float(figure), max(float(worth), float(figure * (1 - figure) / variance)))
        found[name] = (max(0.0, min(float(bottom), least[0])), min(1.0, max(float(top), least[1])))
    return found


def _wilson(share: float, trials: float) -> Interval:
    """Wilson's equation for p, given n and z; `trials` need not be whole."""
    center = (share + _Z * _Z / (2 * trials)) / (1 + _Z * _Z / trials)
    half = _Z * ((share * (1 - share) + _Z * _Z / (4 * trials)) / trials) ** 0.5 / (1 + _Z * _Z / trials)
    return (max(0.0, min(share, center - half)), min(1.0, max(share, center + half)))  # rounding aside, it holds it


def _macro_figures(counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Macro-F1 and balanced accuracy over the classes that occur; shape (..., 2) of matrices (..., C, C)."""
    hits, support, answers = np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(-1), counts.sum(-2)
    occurs = support > 0
    f1 = 2 * hits / np.where(occurs, support + answers, 1)
    recall = hits / np.where(occurs, support, 1)
    both = np.stack([(f1 * occurs).sum(-1), (recall * occurs).sum(-1)], axis=-1)
    return np.asarray(both / occurs.sum(-1)[..., None], np.float64)


def _error_shares(counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """What each class's errors are taken for, one more than were seen, spread as the answers are; rows sum to 1."""
    wrong = counts * (1 - np.eye(len(counts)))
    others = np.tile(counts.sum(0), (len(counts), 1)) * (1 - np.eye(len(counts)))
    nobody = others.sum(1, keepdims=True) == 0
    others = np.where(nobody, 1 - np.eye(len(counts)), others)
    shares = wrong + others / np.maximum(others.sum(1, keepdims=True), 1)
    return np.asarray(shares / np.maximum(shares.sum(1, keepdims=True), _SMALLEST), np.float64)


def _at_bounds(counts: NDArray[np.floating], errors: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    """The matrix with one class's recall at its lower and at its upper bound; shape (2, C, C)."""
    support = counts[place].sum()
    moved = np.stack([counts, counts])
    for matrix, bound in zip(moved, wilson_interval(round(counts[place, place]), round(support)), strict=True):
        matrix[place] = errors[place] * (1 - bound) * support
        matrix[place, place] = bound * support
    return moved


def _error_spread(
    counts: NDArray[np.floating], errors: NDArray[np.float64], lowest: NDArray[np.float64], present: NDArray[np.intp]
) -> float:
    """The variance that macro-F1 owes to which classes the errors are taken for, by the delta method.

    Args:
        lowest: for each class that occurs, the matrix with its recall at the lower bound.
    """
    hits, both = np.diagonal(counts), counts.sum(0) + counts.sum(1)
    costs = np.zeros(len(counts))
    costs[present] = 2 * hits[present] / both[present] ** 2 / len(present)
    spread = 0.0
    for matrix, place in zip(lowest, present, strict=True):
        mean = errors[place] @ costs
        spread += (matrix[place].sum() - matrix[place, place]) * (errors[place] @ costs**2 - mean**2)
    return max(0.0, float(spread))
