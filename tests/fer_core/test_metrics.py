from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from fer_core.errors import InputError
from fer_core.intervals import wilson_interval
from fer_core.metrics import classification_metrics, expected_calibration_error, paired_difference


def _guesses(seed: int, n: int, classes: int, right_01: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, n, p=rng.dirichlet(np.ones(classes)))
    return truth, np.where(rng.random(n) < right_01, truth, rng.integers(0, classes, n))


def test_figures_worked_out_by_hand() -> None:
    #        predicted 0  1  2
    # truth 0          3  1  0
    # truth 1          1  1  0
    # truth 2          0  2  2
    truth = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
    predicted = np.array([0, 0, 0, 1, 0, 1, 1, 1, 2, 2])
    judged = classification_metrics(truth, predicted, 3)
    assert judged.n == 10
    assert judged.confusion.tolist() == [[3, 1, 0], [1, 1, 0], [0, 2, 2]]
    assert judged.accuracy == pytest.approx(0.6)
    assert judged.balanced_accuracy == pytest.approx((3 / 4 + 1 / 2 + 2 / 4) / 3)
    assert [each.precision for each in judged.per_class] == pytest.approx([3 / 4, 1 / 4, 1])
    assert [each.recall for each in judged.per_class] == pytest.approx([3 / 4, 1 / 2, 1 / 2])
    assert [each.f1 for each in judged.per_class] == pytest.approx([3 / 4, 1 / 3, 2 / 3])
    assert judged.macro_f1 == pytest.approx((3 / 4 + 1 / 3 + 2 / 3) / 3)
    assert [each.support for each in judged.per_class] == [4, 2, 4]


@pytest.mark.parametrize("seed", range(5))
def test_rows_of_the_confusion_sum_to_the_support(seed: int) -> None:
    truth, predicted = _guesses(seed, 500, 8)
    judged = classification_metrics(truth, predicted, 8)
    assert judged.confusion.sum(1).tolist() == [each.support for each in judged.per_class]
    assert judged.confusion.sum() == judged.n == 500
    assert np.trace(judged.confusion) / 500 == pytest.approx(judged.accuracy)


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_scikit_learns(seed: int) -> None:
    truth, predicted = _guesses(seed, 300, 5)
    present = np.unique(truth)
    judged = classification_metrics(truth, predicted, 5)
    recalls = [(predicted[truth == code] == code).mean() for code in present]
    assert judged.balanced_accuracy == pytest.approx(np.mean(recalls))
    assert judged.macro_f1 == pytest.approx(f1_score(truth, predicted, labels=present, average="macro"))
    if set(predicted) <= set(truth):
        assert judged.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth, predicted))


def test_a_class_that_never_occurs_does_not_count_in_macro_figures() -> None:
    truth, predicted = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    judged = classification_metrics(truth, predicted, 8)
    assert (judged.accuracy, judged.balanced_accuracy, judged.macro_f1) == (1, 1, 1)
    assert judged.per_class[7].support == 0
    assert judged.per_class[7].recall_interval == (0, 1)


def test_always_the_commonest_class_is_accurate_and_not_balanced() -> None:
    truth = np.repeat([0, 1], [97, 3])
    judged = classification_metrics(truth, np.zeros(100, int), 2)
    assert judged.accuracy == pytest.approx(0.97)
    assert judged.balanced_accuracy == pytest.approx(0.5)
    assert judged.macro_f1 < 0.5


@pytest.mark.parametrize(("seed", "n"), [(0, 40), (1, 200), (2, 2000), (3, 12)])
def test_intervals_contain_their_figure_and_shrink_with_n(seed: int, n: int) -> None:
    truth, predicted = _guesses(seed, n, 4)
    judged = classification_metrics(truth, predicted, 4)
    widths = {}
    for name, (low, high) in judged.intervals.items():
        assert 0 <= low <= getattr(judged, name) <= high <= 1 + 1e-12
        widths[name] = high - low
    assert set(widths) == {"accuracy", "balanced_accuracy", "macro_f1"}
    for each in judged.per_class:
        for name in ("precision", "recall", "f1"):
            low, high = getattr(each, f"{name}_interval")
            assert 0 <= low <= getattr(each, name) <= high <= 1
    more = classification_metrics(np.tile(truth, 16), np.tile(predicted, 16), 4)
    low, high = more.intervals["accuracy"]
    assert high - low < widths["accuracy"] / 2


def test_the_accuracy_interval_agrees_with_wilsons() -> None:
    truth, predicted = _guesses(7, 1000, 4)
    judged = classification_metrics(truth, predicted, 4)
    wilson = wilson_interval(round(judged.accuracy * 1000), 1000)
    assert judged.intervals["accuracy"] == wilson


def test_intervals_are_the_same_every_time() -> None:
    truth, predicted = _guesses(1, 100, 8)
    assert (
        classification_metrics(truth, predicted, 8).intervals == classification_metrics(truth, predicted, 8).intervals
    )


def test_nothing_to_judge_is_an_error_in_words() -> None:
    with pytest.raises(InputError, match="no labeled images"):
        classification_metrics(np.array([], int), np.array([], int), 8)


def test_a_perfectly_calibrated_model_has_no_calibration_error() -> None:
    confidence = np.repeat([0.25, 0.75], 100)
    correct = np.concatenate([np.arange(100) < 25, np.arange(100) < 75])
    assert expected_calibration_error(confidence, correct) == pytest.approx(0, abs=1e-12)


def test_an_over_confident_model_errs_by_its_over_confidence() -> None:
    assert expected_calibration_error(np.full(200, 0.9), np.arange(200) < 120) == pytest.approx(0.3)
    assert expected_calibration_error(np.full(10, 0.4), np.ones(10, bool)) == pytest.approx(0.6)


def test_gaps_in_different_bins_do_not_cancel() -> None:
    confidence = np.repeat([0.3, 0.7], 100)
    correct = np.repeat([True, False], 100)
    assert expected_calibration_error(confidence, correct) == pytest.approx(0.7)


def test_neighboring_bins_are_kept_apart() -> None:
    for low, high in ((0.03, 0.1), (0.9, 0.97)):
        confidence, correct = np.repeat([low, high], 10), np.repeat([True, False], 10)
        assert expected_calibration_error(confidence, correct) == pytest.approx((1 - low + high) / 2)


def test_calibration_error_at_the_ends_and_of_nothing() -> None:
    assert expected_calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0
    assert expected_calibration_error(np.array([]), np.array([], bool)) == 0


def test_a_difference_is_paired_by_image() -> None:
    """Answers that are wrong about the same images differ by little for certain; about other images, by chance."""
    right, wrong = np.ones(100, bool), np.ones(100, bool)
    right[:20] = wrong[:20] = False
    lost, (low, high) = paired_difference(right, wrong)
    assert lost == 0 and low == -high and high == pytest.approx(1.959964 * 2**0.5 / 102)
    wrong[:20], wrong[20:40] = True, False
    lost, (low, high) = paired_difference(right, wrong)
    assert lost == 0 and low == -high and high == pytest.approx(1.959964 * (42 / 102 / 102) ** 0.5)


def test_the_interval_of_a_difference_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        before = rng.random(1000) < 0.85
        after = np.where(rng.random(1000) < 0.1, rng.random(1000) < 0.5, before)
        low, high = paired_difference(before, after)[1]
        inside += low <= 0.1 * (0.85 - 0.5) <= high
    assert 0.92 < inside / 400 < 0.98
