"""Intervals have nominal coverage, also near 1, and never zero width."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, chi2

from fer_core.intervals import (
    _POISSON_LOW,
    difference_interval,
    f1_interval,
    macro_f1_difference,
    macro_intervals,
    unpaired_difference,
    wilson_interval,
)

SIZES = (10, 30, 300)
NEAR_ONE = (0.95, 0.98, 0.99, 0.995, 0.999)
DRAWS = 300


def _coverage(trials: int, share: float) -> float:
    """Exact coverage of the interval of a share."""
    bounds = np.array([wilson_interval(successes, trials) for successes in range(trials + 1)])
    is_covered = (bounds[:, 0] <= share) & (share <= bounds[:, 1])
    return float((binom.pmf(np.arange(trials + 1), trials, share) * is_covered).sum())


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(7, 10, 0.3968, 0.8922), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_the_wilson_interval_has_known_values(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_bounds_near_the_ends_are_modified() -> None:
    assert wilson_interval(9, 10) == pytest.approx((0.5958, 1 - 0.05129 / 10), abs=5e-5)
    assert wilson_interval(298, 300)[1] == pytest.approx(1 - 0.35536 / 300, abs=1e-6)
    assert pytest.approx([chi2.ppf(0.05, 2 * n) / 2 for n in (1, 2, 3)], abs=1e-6) == _POISSON_LOW


def test_without_trials_the_interval_is_0_to_1() -> None:
    assert wilson_interval(0, 0) == f1_interval(0, 0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("trials", SIZES)
def test_a_share_near_one_has_nominal_coverage(trials: int) -> None:
    assert min(_coverage(trials, share) for share in NEAR_ONE) >= 0.93
    coverages = [_coverage(trials, share) for share in np.linspace(0.8, 0.9995, 200)]
    assert min(coverages) > 0.91
    assert 0.945 < np.mean(coverages) < 0.97


def test_no_interval_of_a_share_has_zero_width_or_misses_its_share() -> None:
    for trials in (1, 2, 3, 5, 10, 50, 51, 3000):
        for successes in {0, 1, 2, 3, trials // 2, trials - 2, trials - 1, trials} & set(range(trials + 1)):
            low, high = wilson_interval(successes, trials)
            assert 0 <= low <= successes / trials <= high <= 1
            assert high - low > 1 / (trials + 2)


def _class_distribution(
    classes: int, images: int, accuracy_01: float, balanced: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Images of each class and rows of the confusion matrix as shares."""
    shares = np.ones(classes) if balanced else 0.5 ** np.arange(classes)
    support = np.maximum(1, np.floor(shares / shares.sum() * images)).astype(np.int64)
    support[0] += images - support.sum()
    confusion_rates = np.ones((classes, classes))
    confusion_rates[:, 0] = 5
    confusion_rates *= 1 - np.eye(classes)
    return support, confusion_rates / confusion_rates.sum(1, keepdims=True) * (1 - accuracy_01) + accuracy_01 * np.eye(
        classes
    )


def _macro_metrics(confusion: NDArray[np.floating]) -> dict[str, float]:
    correct, support, predicted = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    f1 = 2 * correct / np.maximum(support + predicted, 1e-12)
    return {
        "macro_f1": f1[support > 0].mean(),
        "balanced_accuracy": (correct / support.clip(1e-12))[support > 0].mean(),
    }


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("classes", [2, 7])
@pytest.mark.parametrize("images", SIZES)
@pytest.mark.parametrize("accuracy_01", [0.95, 0.99])
def test_macro_metrics_near_one_have_nominal_coverage(
    classes: int, images: int, accuracy_01: float, balanced: bool
) -> None:
    rng = np.random.default_rng([classes, images, round(1000 * accuracy_01), balanced])
    support, confusion_rates = _class_distribution(classes, images, accuracy_01, balanced)
    truth = _macro_metrics(support[:, None] * confusion_rates)
    covered_counts = dict.fromkeys(truth, 0)
    for _ in range(DRAWS):
        sampled = np.array([rng.multinomial(n, row) for n, row in zip(support, confusion_rates, strict=True)])
        for name, (low, high) in macro_intervals(sampled).items():
            covered_counts[name] += low - 1e-12 <= truth[name] <= high + 1e-12
    for name, covered_count in covered_counts.items():
        assert covered_count / DRAWS >= 0.93 - 2 * (0.93 * 0.07 / DRAWS) ** 0.5, name


@pytest.mark.parametrize(
    "confusion",
    [[[10, 0], [0, 0]], [[0, 1], [0, 0]], [[0, 0], [0, 1]], np.eye(8), 300 * np.eye(3), [[0, 3], [3, 0]]],
)
def test_no_interval_of_a_macro_metric_has_zero_width(confusion: object) -> None:
    counts = np.array(confusion, np.int64)
    metrics, n = _macro_metrics(counts.astype(float)), counts.sum()
    for name, (low, high) in macro_intervals(counts).items():
        assert 0 <= low <= metrics[name] + 1e-12 and metrics[name] - 1e-12 <= high <= 1
        assert high - low > 1 / (n + 4)


def test_balanced_accuracy_of_one_class_has_the_interval_of_accuracy() -> None:
    low, high = macro_intervals(np.array([[9, 1], [0, 0]]))["balanced_accuracy"]
    assert (low, high) == pytest.approx(wilson_interval(9, 10))


def test_a_rare_class_widens_the_interval_of_a_macro_metric() -> None:
    certain = macro_intervals(np.array([[900, 100], [50, 450]]))["balanced_accuracy"]
    uncertain = macro_intervals(np.array([[900, 100], [1, 9]]))["balanced_accuracy"]
    assert uncertain[1] - uncertain[0] > 4 * (certain[1] - certain[0])


def test_an_f1_interval_follows_from_the_jaccard_index() -> None:
    low, high = wilson_interval(6, 12)
    assert f1_interval(6, 8, 10) == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))
    assert f1_interval(10, 10, 10)[0] < 0.85 and f1_interval(0, 5, 0)[1] > 0.3


@pytest.mark.parametrize("trials", SIZES)
@pytest.mark.parametrize("shares", [(0.0, 0.0), (0.01, 0.0), (0.01, 0.01), (0.1, 0.03), (0.3, 0.0)])
def test_a_paired_difference_has_nominal_coverage(trials: int, shares: tuple[float, float]) -> None:
    gained, lost = shares
    sampled = np.random.default_rng(trials).multinomial(trials, [gained, lost, 1 - gained - lost], size=2000)
    bounds = np.array([difference_interval(int(a), int(b), trials) for a, b, _ in sampled])
    assert ((bounds[:, 0] <= gained - lost) & (gained - lost <= bounds[:, 1])).mean() >= 0.93
    assert (bounds[:, 1] - bounds[:, 0]).min() > 1 / trials
    assert np.abs(bounds).max() <= 1


def _predictions(truth: NDArray[np.int64], accuracy: float, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.where(rng.random(len(truth)) < accuracy, truth, rng.integers(0, 3, len(truth)))


def test_the_difference_of_macro_f1_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [200, 80, 20])
    first, second = _predictions(truth, 0.6, rng), _predictions(truth, 0.8, rng)
    difference, (low, high) = macro_f1_difference(truth, first, second, 4)
    expected = f1_score(truth, second, average="macro") - f1_score(truth, first, average="macro")
    assert difference == pytest.approx(expected)
    assert 0 < low < difference < high < 1
    assert macro_f1_difference(truth, second, first, 4)[0] == pytest.approx(-difference)
    assert macro_f1_difference(truth, first, first, 4) == (0.0, (0.0, 0.0))


def test_the_paired_interval_covers_and_is_narrower_for_models_that_err_alike() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1, 2], [300, 150, 60])
    covered = 0
    for _ in range(100):
        first, second = _predictions(truth, 0.7, rng), _predictions(truth, 0.7, rng)
        low, high = macro_f1_difference(truth, first, second, 3)[1]
        covered += low <= 0 <= high
    assert 88 <= covered <= 100
    alike = np.where(rng.random(len(truth)) < 0.95, first, second)
    narrow, wide = (macro_f1_difference(truth, first, each, 3)[1] for each in (alike, second))
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) / 2


def test_the_unpaired_difference_adds_the_intervals_in_squares() -> None:
    low, high = unpaired_difference(0.7, (0.67, 0.74), 0.4, (0.36, 0.43))
    assert low == pytest.approx(-0.3 - (0.04**2 + 0.04**2) ** 0.5)
    assert high == pytest.approx(-0.3 + (0.03**2 + 0.03**2) ** 0.5)
