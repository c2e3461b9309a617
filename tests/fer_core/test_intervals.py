"""Intervals hold the truth as often as they say, above all near 1, and never have zero width."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, chi2

from fer_core.intervals import (
    _POISSON_LOW,
    difference_interval,
    f1_interval,
    macro_intervals,
    wilson_interval,
)

SIZES = (10, 30, 300)
NEAR_ONE = (0.95, 0.98, 0.99, 0.995, 0.999)
DRAWS = 300


def _coverage(trials: int, share: float) -> float:
    """How often the interval of a share holds it, exactly."""
    bounds = np.array([wilson_interval(successes, trials) for successes in range(trials + 1)])
    held = (bounds[:, 0] <= share) & (share <= bounds[:, 1])
    return float((binom.pmf(np.arange(trials + 1), trials, share) * held).sum())


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(7, 10, 0.3968, 0.8922), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_wilsons_interval_has_its_known_values(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_near_the_ends_the_bound_is_the_modified_one() -> None:
    assert wilson_interval(9, 10) == pytest.approx((0.5958, 1 - 0.05129 / 10), abs=5e-5)
    assert wilson_interval(298, 300)[1] == pytest.approx(1 - 0.35536 / 300, abs=1e-6)
    assert pytest.approx([chi2.ppf(0.05, 2 * n) / 2 for n in (1, 2, 3)], abs=1e-6) == _POISSON_LOW


def test_without_trials_everything_is_possible() -> None:
    assert wilson_interval(0, 0) == f1_interval(0, 0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("trials", SIZES)
def test_a_share_near_one_is_held_as_often_as_said(trials: int) -> None:
    assert min(_coverage(trials, share) for share in NEAR_ONE) >= 0.93
    everywhere = [_coverage(trials, share) for share in np.linspace(0.8, 0.9995, 200)]
    assert min(everywhere) > 0.91
    assert 0.945 < np.mean(everywhere) < 0.97


def test_no_interval_of_a_share_has_zero_width_or_misses_its_share() -> None:
    for trials in (1, 2, 3, 5, 10, 50, 51, 3000):
        for successes in {0, 1, 2, 3, trials // 2, trials - 2, trials - 1, trials} & set(range(trials + 1)):
            low, high = wilson_interval(successes, trials)
            assert 0 <= low <= successes / trials <= high <= 1
            assert high - low > 1 / (trials + 2)


def _classes(classes: int, images: int, right_01: float, even: bool) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """How many images each class has, and what share of them is taken for what."""
    shares = np.ones(classes) if even else 0.5 ** np.arange(classes)
    support = np.maximum(1, np.floor(shares / shares.sum() * images)).astype(np.int64)
    support[0] += images - support.sum()
    taken = np.ones((classes, classes))
    taken[:, 0] = 5
    taken *= 1 - np.eye(classes)
    return support, taken / taken.sum(1, keepdims=True) * (1 - right_01) + right_01 * np.eye(classes)


def _macro(confusion: NDArray[np.floating]) -> dict[str, float]:
    hits, support, answers = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    f1 = 2 * hits / np.maximum(support + answers, 1e-12)
    return {"macro_f1": f1[support > 0].mean(), "balanced_accuracy": (hits / support.clip(1e-12))[support > 0].mean()}


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("classes", [2, 7])
@pytest.mark.parametrize("images", SIZES)
@pytest.mark.parametrize("right_01", [0.95, 0.99])
def test_macro_figures_near_one_are_held_as_often_as_said(
    classes: int, images: int, right_01: float, even: bool
) -> None:
    rng = np.random.default_rng([classes, images, round(1000 * right_01), even])
    support, taken = _classes(classes, images, right_01, even)
    truth = _macro(support[:, None] * taken)
    held = dict.fromkeys(truth, 0)
    for _ in range(DRAWS):
        drawn = np.array([rng.multinomial(n, row) for n, row in zip(support, taken, strict=True)])
        for name, (low, high) in macro_intervals(drawn).items():
            held[name] += low - 1e-12 <= truth[name] <= high + 1e-12
    for name, times in held.items():
        assert times / DRAWS >= 0.93 - 2 * (0.93 * 0.07 / DRAWS) ** 0.5, name


@pytest.mark.parametrize(
    "confusion",
    [[[10, 0], [0, 0]], [[0, 1], [0, 0]], [[0, 0], [0, 1]], np.eye(8), 300 * np.eye(3), [[0, 3], [3, 0]]],
)
def test_no_interval_of_a_macro_figure_has_zero_width(confusion: object) -> None:
    counts = np.array(confusion, np.int64)
    metrics, n = _macro(counts.astype(float)), counts.sum()
    for name, (low, high) in macro_intervals(counts).items():
        assert 0 <= low <= metrics[name] + 1e-12 and metrics[name] - 1e-12 <= high <= 1
        assert high - low > 1 / (n + 4)


def test_of_one_class_balanced_accuracy_is_no_surer_than_accuracy() -> None:
    low, high = macro_intervals(np.array([[9, 1], [0, 0]]))["balanced_accuracy"]
    assert (low, high) == pytest.approx(wilson_interval(9, 10))


def test_a_macro_figure_is_as_unsure_as_its_rare_class() -> None:
    sure = macro_intervals(np.array([[900, 100], [50, 450]]))["balanced_accuracy"]
    unsure = macro_intervals(np.array([[900, 100], [1, 9]]))["balanced_accuracy"]
    assert unsure[1] - unsure[0] > 4 * (sure[1] - sure[0])


def test_an_f1_interval_is_that_of_its_jaccard_index() -> None:
    low, high = wilson_interval(6, 12)
    assert f1_interval(6, 8, 10) == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))
    assert f1_interval(10, 10, 10)[0] < 0.85 and f1_interval(0, 5, 0)[1] > 0.3


@pytest.mark.parametrize("trials", SIZES)
@pytest.mark.parametrize("shares", [(0.0, 0.0), (0.01, 0.0), (0.01, 0.01), (0.1, 0.03), (0.3, 0.0)])
def test_a_paired_difference_is_held_as_often_as_said(trials: int, shares: tuple[float, float]) -> None:
    won, lost = shares
    drawn = np.random.default_rng(trials).multinomial(trials, [won, lost, 1 - won - lost], size=2000)
    bounds = np.array([difference_interval(int(a), int(b), trials) for a, b, _ in drawn])
    assert ((bounds[:, 0] <= won - lost) & (won - lost <= bounds[:, 1])).mean() >= 0.93
    assert (bounds[:, 1] - bounds[:, 0]).min() > 1 / trials
    assert np.abs(bounds).max() <= 1
