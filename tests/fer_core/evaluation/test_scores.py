"""Scores: resampled ones are computed as scikit-learn computes them, and intervals cover the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss, top_k_accuracy_score

from fer_core.errors import InputError
from fer_core.evaluation import scores as module
from fer_core.evaluation.scores import (
    SCORE_TITLES,
    LabeledPredictions,
    resample,
    sample_class_f1,
    sample_scores,
    score,
    score_with_intervals,
)
from fer_core.metrics import classification_metrics
from tests.support.evaluated import make_judged


def test_scores_equal_those_of_scikit_learn() -> None:
    judged = make_judged()
    values = score(judged)
    assert list(values) == list(SCORE_TITLES)
    assert values["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(judged.truth, judged.predicted))
    probabilities = judged.probabilities / judged.probabilities.sum(1, keepdims=True, dtype=float)
    assert values["log_loss"] == pytest.approx(log_loss(judged.truth, probabilities), rel=1e-5)
    assert values["top2"] == pytest.approx(top_k_accuracy_score(judged.truth, judged.probabilities, k=2))


def test_scores_of_resamples_equal_the_scores_of_the_drawn_images(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = make_judged(n=60, classes=4)
    drawn = [np.random.default_rng(seed).integers(0, 60, 60) for seed in range(5)]
    weights = [np.bincount(rows, minlength=60).astype(float) for rows in drawn]
    monkeypatch.setattr(module, "_draw", lambda n, samples, seed: iter(weights))
    sums = resample([judged], samples=5)[0]
    samples, class_f1 = sample_scores(sums), sample_class_f1(sums)
    for number, rows in enumerate(drawn):
        of_rows = LabeledPredictions(judged.truth[rows], judged.probabilities[rows])
        for name, value in score(of_rows).items():
            assert samples[name][number] == pytest.approx(value, rel=1e-6), name
        metrics = classification_metrics(of_rows.truth, of_rows.predicted, 4)
        expected = [each.f1 for each in metrics.per_class]
        assert np.nan_to_num(class_f1[number]) == pytest.approx(expected)


def test_intervals_contain_their_value_and_shrink_with_more_images() -> None:
    few, many = (score_with_intervals(make_judged(n)) for n in (200, 5000))
    for name, (value, (low, high)) in few.items():
        assert low <= value <= high
        assert high > low
        assert many[name].interval[1] - many[name].interval[0] < (high - low) / 2, name


def test_intervals_cover_the_value_of_the_population() -> None:
    population = score(make_judged(200_000, seed=99))
    covered = dict.fromkeys(population, 0)
    for seed in range(40):
        for name, (_, (low, high)) in score_with_intervals(make_judged(300, seed=seed)).items():
            covered[name] += low <= population[name] <= high
    del covered["ece"]  # of few images it is too high, whatever the interval
    assert min(covered.values()) >= 33, covered


def test_models_are_resampled_alike() -> None:
    judged = make_judged()
    first, second = resample([judged, judged], samples=20)
    assert (first.confusion == second.confusion).all()
    assert len(np.unique(first.log_loss)) == 20
    assert (resample([judged], samples=3, seed=1)[0].confusion != first.confusion[:3]).any()


def test_one_class_has_no_kappa() -> None:
    judged = LabeledPredictions(np.zeros(10, np.int64), np.tile(np.float32([0.9, 0.1]), (10, 1)))
    found = score_with_intervals(judged)
    assert math.isnan(found["kappa"].value) and math.isnan(found["mcc"].interval[0])
    assert found["accuracy"].value == 1.0


def test_no_images_are_an_error() -> None:
    with pytest.raises(InputError, match="no labeled images"):
        LabeledPredictions(np.zeros(0, np.int64), np.zeros((0, 3), np.float32))
