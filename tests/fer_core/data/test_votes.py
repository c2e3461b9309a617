from __future__ import annotations

import numpy as np
import pytest

from fer_core.data.votes import (
    OUTCOMES,
    VOTE_COLUMNS,
    Unlabeled,
    argmax_outcomes,
    drop_single_votes,
    majority_outcomes,
    soft_labels,
)
from fer_core.labels import Expression

E = Expression
U = Unlabeled
#    neutral, happiness, sadness, surprise, fear, disgust, anger, contempt, unknown, not a face
ROWS = [
    # votes, outcome by argmax, outcome by majority
    ([10, 0, 0, 0, 0, 0, 0, 0, 0, 0], E.NEUTRAL, E.NEUTRAL),
    ([5, 5, 0, 0, 0, 0, 0, 0, 0, 0], U.TIE, U.TIE),
    ([0, 4, 3, 3, 0, 0, 0, 0, 0, 0], E.HAPPINESS, U.TIE),
    ([0, 5, 3, 2, 0, 0, 0, 0, 0, 0], E.HAPPINESS, U.TIE),
    ([0, 5, 1, 1, 1, 1, 1, 0, 0, 0], E.HAPPINESS, E.HAPPINESS),
    ([0, 0, 0, 4, 3, 1, 1, 1, 0, 0], E.SURPRISE, E.SURPRISE),
    ([0, 0, 2, 0, 0, 0, 0, 0, 8, 0], U.UNKNOWN, U.UNKNOWN),
    ([0, 0, 0, 0, 0, 0, 0, 1, 0, 9], U.NOT_A_FACE, U.NOT_A_FACE),
    ([4, 0, 0, 0, 0, 0, 0, 0, 4, 2], U.TIE, U.TIE),
    ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], U.TIE, U.TIE),
    ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], U.TIE, U.TIE),
    ([0, 0, 0, 0, 0, 0, 1, 0, 0, 0], E.ANGER, U.TIE),
]
VOTES = np.array([row for row, _, _ in ROWS])


def test_vote_columns_are_the_expressions_unknown_and_not_a_face() -> None:
    assert (*(f"votes_{e}" for e in Expression), "votes_unknown", "votes_not_a_face") == VOTE_COLUMNS


def test_argmax_outcomes_are_the_most_frequent_of_all_columns() -> None:
    assert [OUTCOMES[code] for code in argmax_outcomes(VOTES)] == [by_argmax for _, by_argmax, _ in ROWS]


def test_majority_outcomes_need_more_than_half_of_the_remaining_votes() -> None:
    assert [OUTCOMES[code] for code in majority_outcomes(VOTES)] == [by_majority for _, _, by_majority in ROWS]


def test_drop_single_votes_returns_a_copy_without_single_votes() -> None:
    before = VOTES.copy()
    remaining = drop_single_votes(VOTES)
    assert remaining[4].tolist() == [0, 5, 0, 0, 0, 0, 0, 0, 0, 0]
    assert not (remaining == 1).any()
    np.testing.assert_array_equal(remaining[VOTES != 1], VOTES[VOTES != 1])
    np.testing.assert_array_equal(VOTES, before)


def test_soft_labels_match_manual_calculation() -> None:
    shares = soft_labels(VOTES)
    assert shares.dtype == np.float32
    assert shares.shape == (len(ROWS), 8)
    assert shares[2].tolist() == pytest.approx([0, 0.4, 0.3, 0.3, 0, 0, 0, 0])
    assert shares[5].tolist() == pytest.approx([0, 0, 0, 4 / 7, 3 / 7, 0, 0, 0])
    assert shares[6].tolist() == [0, 0, 1, 0, 0, 0, 0, 0]  # two votes for sadness, eight for unknown


@pytest.mark.parametrize("seed", range(3))
def test_soft_labels_and_outcomes_are_consistent_on_random_votes(seed: int) -> None:
    votes = np.random.default_rng(seed).multinomial(10, np.full(10, 0.1), 500)
    totals = soft_labels(votes).sum(1)
    assert np.all((np.abs(totals - 1) < 1e-5) | (totals == 0))
    has_any = (drop_single_votes(votes)[:, :8] > 0).any(1)
    np.testing.assert_array_equal(totals > 0, has_any)
    argmax, majority = argmax_outcomes(votes), majority_outcomes(votes)
    tie = OUTCOMES.index(Unlabeled.TIE)
    agreed = majority != tie
    np.testing.assert_array_equal(majority[agreed], argmax[agreed])
    for row, code in zip(votes, argmax, strict=True):
        assert (code == tie) == (sorted(row)[-1] == sorted(row)[-2])
