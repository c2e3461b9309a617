from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from fer_core.errors import InputError
from fer_core.intervals import wilson_interval
from fer_core.metrics import classification_metrics, expected_calibration_error, paired_difference


def _random_predictions(seed: int, n: int, classes: int, accuracy_01: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, n, p=rng.dirichlet(np.ones(classes)))
    return truth, np.where(rng.random(n) < accuracy_01, truth, rng.integers(0, classes, n))


def test_metrics_match_manual_values() -> None:
    #        predicted 0  1  2
    # truth 0          3  1  0
    # truth 1          1  1  0
    # truth 2          0  2  2
    truth = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
    predicted = np.array([0, 0, 0, 1, 0, 1, 1, 1, 2, 2])
    metrics = classification_metrics(truth, predicted, 3)
    assert metrics.n == 10
    assert metrics.confusion.tolist() == [[3, 1, 0], [1, 1, 0], [0, 2, 2]]
    assert metrics.accuracy == pytest.approx(0.6)
    assert metrics.balanced_accuracy == pytest.approx((3 / 4 + 1 / 2 + 2 / 4) / 3)
    assert [class_metrics.precision for class_metrics in metrics.per_class] == pytest.approx([3 / 4, 1 / 4, 1])
    assert [class_metrics.recall for class_metrics in metrics.per_class] == pytest.approx([3 / 4, 1 / 2, 1 / 2])
    assert [class_metrics.f1 for class_metrics in metrics.per_class] == pytest.approx([3 / 4, 1 / 3, 2 / 3])
    assert metrics.macro_f1 == pytest.approx((3 / 4 + 1 / 3 + 2 / 3) / 3)
    assert [class_metrics.support for class_metrics in metrics.per_class] == [4, 2, 4]


@pytest.mark.parametrize("seed", range(5))
def test_confusion_rows_sum_to_the_support(seed: int) -> None:
    truth, predicted = _random_predictions(seed, 500, 8)
    metrics = classification_metrics(truth, predicted, 8)
    assert metrics.confusion.sum(1).tolist() == [class_metrics.support for class_metrics in metrics.per_class]
    assert metrics.confusion.sum() == metrics.n == 500
    assert np.trace(metrics.confusion) / 500 == pytest.approx(metrics.accuracy)


@pytest.mark.parametrize("seed", range(5))
def test_metrics_match_scikit_learn(seed: int) -> None:
    truth, predicted = _random_predictions(seed, 300, 5)
    present = np.unique(truth)
    metrics = classification_metrics(truth, predicted, 5)
    recalls = [(predicted[truth == class_index] == class_index).mean() for class_index in present]
    assert metrics.balanced_accuracy == pytest.approx(np.mean(recalls))
    assert metrics.macro_f1 == pytest.approx(f1_score(truth, predicted, labels=present, average="macro"))
    if set(predicted) <= set(truth):
        assert metrics.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth, predicted))


def test_a_missing_class_does_not_count_in_macro_metrics() -> None:
    truth, predicted = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    metrics = classification_metrics(truth, predicted, 8)
    assert (metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1) == (1, 1, 1)
    assert metrics.per_class[7].support == 0
    assert metrics.per_class[7].recall_interval == (0, 1)


def test_the_majority_class_is_accurate_but_not_balanced() -> None:
    truth = np.repeat([0, 1], [97, 3])
    metrics = classification_metrics(truth, np.zeros(100, int), 2)
    assert metrics.accuracy == pytest.approx(0.97)
    assert metrics.balanced_accuracy == pytest.approx(0.5)
    assert metrics.macro_f1 < 0.5


@pytest.mark.parametrize(("seed", "n"), [(0, 40), (1, 200), (2, 2000), (3, 12)])
def test_intervals_contain_their_metric_and_shrink_with_n(seed: int, n: int) -> None:
    truth, predicted = _random_predictions(seed, n, 4)
    metrics = classification_metrics(truth, predicted, 4)
    widths = {}
    for name, (low, high) in metrics.intervals.items():
        assert 0 <= low <= getattr(metrics, name) <= high <= 1 + 1e-12
        widths[name] = high - low
    assert set(widths) == {"accuracy", "balanced_accuracy", "macro_f1"}
    for class_metrics in metrics.per_class:
        for name in ("precision", "recall", "f1"):
            low, high = getattr(class_metrics, f"{name}_interval")
            assert 0 <= low <= getattr(class_metrics, name) <= high <= 1
    larger_metrics = classification_metrics(np.tile(truth, 16), np.tile(predicted, 16), 4)
    low, high = larger_metrics.intervals["accuracy"]
    assert high - low < widths["accuracy"] / 2


def test_the_accuracy_interval_is_wilsons() -> None:
    truth, predicted = _random_predictions(7, 1000, 4)
    metrics = classification_metrics(truth, predicted, 4)
    wilson = wilson_interval(round(metrics.accuracy * 1000), 1000)
    assert metrics.intervals["accuracy"] == wilson


def test_intervals_are_reproducible() -> None:
    truth, predicted = _random_predictions(1, 100, 8)
    assert (
        classification_metrics(truth, predicted, 8).intervals == classification_metrics(truth, predicted, 8).intervals
    )


def test_metrics_need_labeled_images() -> None:
    with pytest.raises(InputError, match="no labeled images"):
        classification_metrics(np.array([], int), np.array([], int), 8)


def test_a_perfectly_calibrated_model_has_no_calibration_error() -> None:
    confidence = np.repeat([0.25, 0.75], 100)
    correct = np.concatenate([np.arange(100) < 25, np.arange(100) < 75])
    assert expected_calibration_error(confidence, correct) == pytest.approx(0, abs=1e-12)


def test_the_calibration_error_of_an_overconfident_model_is_its_overconfidence() -> None:
    assert expected_calibration_error(np.full(200, 0.9), np.arange(200) < 120) == pytest.approx(0.3)
    assert expected_calibration_error(np.full(10, 0.4), np.ones(10, bool)) == pytest.approx(0.6)


def test_gaps_in_different_bins_do_not_cancel() -> None:
    confidence = np.repeat([0.3, 0.7], 100)
    correct = np.repeat([True, False], 100)
    assert expected_calibration_error(confidence, correct) == pytest.approx(0.7)


def test_neighboring_bins_are_separate() -> None:
    for low, high in ((0.03, 0.1), (0.9, 0.97)):
        confidence, correct = np.repeat([low, high], 10), np.repeat([True, False], 10)
        assert expected_calibration_error(confidence, correct) == pytest.approx((1 - low + high) / 2)


def test_calibration_error_of_extremes_and_empty_input_is_zero() -> None:
    assert expected_calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0
    assert expected_calibration_error(np.array([]), np.array([], bool)) == 0


def test_a_difference_is_paired_by_image() -> None:
    """Errors on the same images give a narrower interval than errors on different images."""
    first_correct, second_correct = np.ones(100, bool), np.ones(100, bool)
    first_correct[:20] = second_correct[:20] = False
    difference, (low, high) = paired_difference(first_correct, second_correct)
    assert difference == 0 and low == -high and high == pytest.approx(1.959964 * 2**0.5 / 102)
    second_correct[:20], second_correct[20:40] = True, False
    difference, (low, high) = paired_difference(first_correct, second_correct)
    assert difference == 0 and low == -high and high == pytest.approx(1.959964 * (42 / 102 / 102) ** 0.5)


def test_a_paired_difference_has_nominal_coverage() -> None:
    rng = np.random.default_rng(0)
    covered_count = 0
    for _ in range(400):
        first_correct = rng.random(1000) < 0.85
        second_correct = np.where(rng.random(1000) < 0.1, rng.random(1000) < 0.5, first_correct)
        low, high = paired_difference(first_correct, second_correct)[1]
        covered_count += low <= 0.1 * (0.85 - 0.5) <= high
    assert 0.92 < covered_count / 400 < 0.98
