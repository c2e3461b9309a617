"""Curves over a threshold equal scikit-learn's at every point that is kept, and thinning changes no area noticeably."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import auc, f1_score, precision_score, recall_score

from fer_core.evaluation.analysis.curves import (
    POINTS_MAX,
    auc_interval,
    class_curves,
    coverage_curve,
    thin,
    threshold_curve,
)
from fer_core.evaluation.scores import LabeledPredictions
from tests.support.evaluated import make_judged


def test_thinned_curves_keep_their_ends_and_areas() -> None:
    judged = make_judged(5000)
    for curve in class_curves(judged):
        assert len(curve.recall) <= POINTS_MAX and len(curve.false_positives) <= POINTS_MAX
        assert (curve.recall[0], curve.recall[-1]) == (0, 1)
        assert (curve.false_positives[0], curve.true_positives[-1]) == (0, 1)
        assert (np.diff(curve.recall) >= 0).all() and (np.diff(curve.false_positives) >= 0).all()
        assert auc(curve.false_positives, curve.true_positives) == pytest.approx(curve.auc, abs=2e-3)
        assert auc(curve.recall, curve.precision) == pytest.approx(curve.average_precision, abs=1e-2)
        assert curve.positives == (judged.truth == curve.label).sum()


def test_a_class_without_images_and_one_with_all_of_them_have_no_curve() -> None:
    judged = LabeledPredictions(np.zeros(20, np.int64), np.full((20, 3), 1 / 3, np.float32))
    assert class_curves(judged) == []


def test_auc_intervals_cover_the_area_of_the_population() -> None:
    population = class_curves(make_judged(50_000, seed=99))[0].auc
    covered = 0
    for seed in range(60):
        low, high = class_curves(make_judged(150, seed=seed))[0].auc_interval
        covered += low <= population <= high
    assert covered >= 52
    assert auc_interval(1.0, 10, 10)[0] < 1 == auc_interval(1.0, 10, 10)[1]


@pytest.mark.parametrize("label", [0, 2])
def test_scores_by_threshold_are_those_of_scikit_learn(label: int) -> None:
    judged = make_judged()
    curve = threshold_curve(judged, label)
    for place in (0, 20, 50, curve.best):
        found, positive = judged.probabilities[:, label] >= curve.thresholds[place], judged.truth == label
        assert curve.recall[place] == pytest.approx(recall_score(positive, found))
        assert curve.f1[place] == pytest.approx(f1_score(positive, found))
        assert curve.precision[place] == pytest.approx(precision_score(positive, found))
    assert curve.f1.max() == curve.f1[curve.best]


def test_coverage_ends_with_the_accuracy_of_all_images() -> None:
    judged = make_judged(3000)
    curve = coverage_curve(judged)
    assert curve.coverage[-1] == 1 and curve.accuracy[-1] == pytest.approx(judged.correct.mean())
    for share, accuracy, threshold in zip(curve.coverage, curve.accuracy, curve.threshold, strict=True):
        kept = judged.confidence >= threshold
        assert kept.mean() == pytest.approx(share) and judged.correct[kept].mean() == pytest.approx(accuracy)
    assert 0 < curve.area < 1 - judged.correct.mean(), "better than at random"


def test_images_of_equal_confidence_are_kept_together() -> None:
    probabilities = np.tile(np.float32([[0.75, 0.25]]), (8, 1))
    curve = coverage_curve(LabeledPredictions(np.array([0, 0, 0, 1] * 2), probabilities))
    assert curve.coverage.tolist() == [1.0] and curve.accuracy.tolist() == [0.75]
    assert curve.area == pytest.approx(0.25), "whatever their order"


def test_thinning_keeps_short_curves() -> None:
    assert thin(np.arange(5.0)).tolist() == [0, 1, 2, 3, 4]
    kept = thin(np.linspace(0, 1, 1000))
    assert len(kept) <= POINTS_MAX and kept[0] == 0 and kept[-1] == 999
