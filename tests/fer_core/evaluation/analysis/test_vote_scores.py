"""Scores against votes: nothing beats the most frequent vote, and annotators are measured as the model is."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.errors import InputError
from fer_core.evaluation.analysis.vote_scores import score_votes
from fer_core.labels import Expression

LABELS = tuple(Expression)


def make_votes(n: int = 500, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.multinomial(10, rng.dirichlet(np.full(10, 0.3))) for _ in range(n)])


def test_the_most_frequent_vote_is_the_best_possible() -> None:
    votes = make_votes()
    shares = votes[:, :8] / np.maximum(votes[:, :8].sum(1, keepdims=True), 1)
    best = score_votes(votes, shares, LABELS)
    assert best.agreement == pytest.approx(best.best_agreement)
    assert best.cross_entropy == pytest.approx(best.least_cross_entropy, abs=1e-5)
    chance = score_votes(votes, np.random.default_rng(1).dirichlet(np.ones(8), len(votes)), LABELS)
    assert chance.agreement < best.agreement and chance.cross_entropy > best.cross_entropy
    assert chance.agreement_interval[0] <= chance.agreement <= chance.agreement_interval[1]


def test_two_annotators_agree_as_often_as_pairs_of_votes_are_equal() -> None:
    votes = np.zeros((2, 10), int)
    votes[0, :2], votes[1, 0] = (2, 2), 4
    found = score_votes(votes, np.eye(8)[[0, 0]], LABELS)
    assert found.annotator_agreement == pytest.approx((2 / 6 + 1) / 2)
    assert found.agreement == pytest.approx((0.5 + 1) / 2)


def test_votes_for_other_classes_are_dropped() -> None:
    votes = np.zeros((1, 10), int)
    votes[0, [0, 1, 8, 9]] = 3, 1, 5, 1
    found = score_votes(votes, np.array([[1.0, 0.0]]), LABELS[:2])
    assert found.n == 1 and found.agreement == pytest.approx(0.75)
    with pytest.raises(InputError, match="No image has two votes"):
        score_votes(votes, np.array([[1.0]]), LABELS[1:2])
