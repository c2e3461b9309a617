"""Paired comparison: known values of the tests, no claims without a difference, and the right faces that flipped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.errors import InputError
from fer_core.evaluation.analysis.paired_comparison import (
    compare_on_same_images,
    holm,
    mcnemar,
    row_share_difference,
)
from fer_core.evaluation.evaluated_images import EvaluatedImages
from fer_core.evaluation.scores import LabeledPredictions
from fer_core.labels import Expression
from tests.support.evaluated import LABELS, make_evaluated, make_judged


def with_noise(
    judged: LabeledPredictions, classes: tuple[int, ...], flip_01: float, seed: int = 1
) -> LabeledPredictions:
    """Give some images of some classes the probabilities of another prediction."""
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(np.isin(judged.truth, classes) & (rng.random(len(judged.truth)) < flip_01))
    probabilities = judged.probabilities.copy()
    probabilities[rows] = np.roll(probabilities[rows], 1, axis=1)
    return LabeledPredictions(judged.truth, probabilities)


def test_mcnemar_is_the_exact_binomial_test() -> None:
    first = np.array([True] * 8 + [False] * 2 + [True] * 90)
    second = np.array([False] * 8 + [True] * 2 + [True] * 90)
    assert mcnemar(first, second) == pytest.approx(2 * sum((1, 10, 45)) / 2**10)
    assert mcnemar(first, first) == 1.0


def test_holm_corrects_as_published() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.5]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_equal_models_show_no_difference() -> None:
    images = make_evaluated(make_judged())
    compared = compare_on_same_images({"a": images, "b": images})
    (difference,) = compared.differences
    assert difference.p == 1 and not len(difference.fixed) and not len(difference.broken)
    assert not any(each.is_claimed for each in difference.classes)
    assert difference.scores["macro_f1"] == (0, (0, 0))


def test_the_class_that_became_worse_is_named_and_no_other() -> None:
    judged = make_judged(3000, skill=3.0)
    worse = with_noise(judged, (2,), 0.4)
    compared = compare_on_same_images({"before": make_evaluated(judged), "after": make_evaluated(worse)})
    (difference,) = compared.differences
    claimed = {each.label: each.difference for each in difference.classes if each.is_claimed}
    assert claimed[Expression.FEAR] < -0.1
    by_recall = {each.label for each in difference.classes if each.recall_p < 0.05}
    assert by_recall == {Expression.FEAR}, "the recall of the other classes is the same"
    assert difference.p < 0.05 and difference.scores["accuracy"].interval[1] < 0


def test_random_differences_are_rarely_claimed() -> None:
    claims = 0
    for seed in range(30):
        images = [make_evaluated(LabeledPredictions(*_twice(seed, number))) for number in range(2)]
        compared = compare_on_same_images({"a": images[0], "b": images[1]})
        claims += any(each.is_claimed for each in compared.differences[0].classes)
    assert claims <= 5


def _twice(seed: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of equal skill for the same labels."""
    truth = make_judged(300, seed=seed).truth
    rng = np.random.default_rng((seed, number))
    scores = np.exp(rng.normal(size=(300, 3)) + np.eye(3)[truth])
    return truth, (scores / scores.sum(1, keepdims=True)).astype(np.float32)


def test_flipped_images_are_those_that_one_model_has_right() -> None:
    judged = make_judged()
    other = with_noise(judged, (0, 1, 2), 0.3)
    compared = compare_on_same_images({"a": make_evaluated(judged), "b": make_evaluated(other)})
    difference = compared.differences[0]
    assert not judged.correct[difference.fixed].any() and other.correct[difference.fixed].all()
    assert judged.correct[difference.broken].all() and not other.correct[difference.broken].any()
    assert (np.diff(other.confidence[difference.broken]) <= 0).all()
    gained = (len(difference.fixed) - len(difference.broken)) / len(judged.truth)
    assert difference.scores["accuracy"].value == pytest.approx(gained)


def test_only_common_images_are_compared_whatever_their_order() -> None:
    images = make_evaluated(make_judged(200))
    rng = np.random.default_rng(0)
    other = images.select(rng.permutation(150))
    compared = compare_on_same_images({"a": images, "b": other})
    assert compared.n == 150 and compared.left_out == 50
    assert (compared.images["a"].ids == compared.images["b"].ids).all()
    assert compared.differences[0].p == 1, "the same model"
    assert (np.diff(compared.images["a"].positions) > 0).all(), "in the order of the dataset"


def test_classes_that_one_model_lacks_are_left_out() -> None:
    judged = make_judged(300)
    wide = make_evaluated(judged)
    few = LabeledPredictions(
        np.minimum(judged.truth, 1), judged.probabilities[:, :2] / judged.probabilities[:, :2].sum(1)[:, None]
    )
    narrow = make_evaluated(few, LABELS[:2], unlabeled=np.flatnonzero(judged.truth == 2).tolist())
    compared = compare_on_same_images({"wide": wide, "narrow": narrow})
    assert compared.n == (judged.truth < 2).sum()
    assert compared.labels == LABELS
    assert {each.label for each in compared.differences[0].classes} == set(LABELS[:2])


def test_models_without_common_images_say_so() -> None:
    images = make_evaluated(make_judged(50))
    others = replace(images, ids=np.array([f"other-{number}" for number in range(50)], object))
    with pytest.raises(InputError, match=r"no evaluated images in common \(a on 50, b on 50\)"):
        compare_on_same_images({"a": images, "b": others})


@pytest.mark.parametrize("number", [1, 7])
def test_the_number_of_models_is_limited(number: int) -> None:
    images: EvaluatedImages = make_evaluated(make_judged(50))
    with pytest.raises(InputError, match=f"Two to 6 models can be compared, not {number}"):
        compare_on_same_images({str(place): images for place in range(number)})


def test_the_difference_of_matrices_is_of_the_same_images() -> None:
    judged = make_judged(400)
    other = with_noise(judged, (1,), 0.5)
    difference = row_share_difference(make_evaluated(judged), make_evaluated(other))
    assert difference[0] == pytest.approx([0, 0, 0]) and difference[2] == pytest.approx([0, 0, 0])
    assert difference[1].sum() == pytest.approx(0) and abs(difference[1]).max() > 0.1
