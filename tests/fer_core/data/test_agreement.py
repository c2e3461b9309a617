from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from fer_core.data.agreement import (
    agreement_histogram,
    annotator_agreement,
    most_ambiguous,
    vote_agreement,
    vote_shares,
)
from fer_core.data.votes import OUTCOMES, VOTE_COLUMNS, Unlabeled, argmax_outcomes
from fer_core.errors import InputError
from fer_core.labels import Expression

#    neutral, happiness, sadness, surprise, fear, disgust, anger, contempt, unknown, not a face
VOTES = np.array(
    [
        [10, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 6, 4, 0, 0, 0, 0, 0, 0, 0],
        [4, 4, 2, 0, 0, 0, 0, 0, 0, 0],
        [3, 2, 2, 2, 1, 0, 0, 0, 0, 0],
        [3, 2, 2, 1, 1, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 2, 0, 0, 0, 8, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ],
    np.int16,
)


def _index(votes: np.ndarray) -> pd.DataFrame:
    """An index with votes and the labels that they give."""
    outcomes = [OUTCOMES[code] for code in argmax_outcomes(votes)]
    labels = [str(name) if isinstance(name, Expression) else None for name in outcomes]
    index = pd.DataFrame({"id": [f"i{row}" for row in range(len(votes))], "label": pd.array(labels, "string")})
    index[list(VOTE_COLUMNS)] = votes
    return index


def _random(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.multinomial(10, rng.dirichlet(np.full(10, 0.4), n)).astype(np.int16)


INDEX = _index(VOTES)


def test_agreement_is_the_winners_share_of_all_ten_columns() -> None:
    np.testing.assert_allclose(vote_agreement(VOTES), [1, 0.6, 0.4, 0.3, 0.3, 0.2, np.nan])


def test_the_histogram_counts_every_image_with_a_winner_once() -> None:
    table = agreement_histogram(INDEX)
    nonzero = table[table["count"] > 0].to_dict("records")
    assert nonzero == [
        {"votes": 3, "of": 10, "expression": "neutral", "count": 2},
        {"votes": 6, "of": 10, "expression": "happiness", "count": 1},
        {"votes": 10, "of": 10, "expression": "neutral", "count": 1},
    ]
    assert sorted(set(table["votes"])) == list(range(3, 11))
    assert len(table) == 8 * 8


def test_the_histogram_sums_to_the_label_counts() -> None:
    index = _index(_random(2000))
    table = agreement_histogram(index)
    counts = table.groupby("expression")["count"].sum()
    expected = index["label"].value_counts()
    assert {name: n for name, n in counts.items() if n} == expected.to_dict()


def test_panels_of_other_sizes_are_counted_by_share() -> None:
    votes = np.zeros((4, 10), int)
    votes[:, 0] = [5, 5, 20, 15]
    votes[:, 1] = [0, 0, 0, 5]
    table = agreement_histogram(_index(votes))
    assert set(table["of"]) == {5}
    assert table.loc[table["count"] > 0, ["votes", "count"]].to_numpy().tolist() == [[4, 1], [5, 3]]
    large_panels = agreement_histogram(_index(votes[:, :] * 8))
    assert set(large_panels["of"]) == {10}


def test_votes_without_a_winner_give_an_empty_histogram() -> None:
    assert agreement_histogram(INDEX.iloc[[2, 5, 6]]).empty


def test_the_most_ambiguous_come_first_and_entropy_breaks_ties() -> None:
    table = most_ambiguous(INDEX, 10)
    assert table["id"].tolist() == ["i4", "i3", "i2", "i1", "i0"]
    assert table["agreement"].tolist() == pytest.approx([0.3, 0.3, 0.4, 0.6, 1])
    assert table["entropy"].iloc[0] > table["entropy"].iloc[1]
    assert table["entropy"].iloc[-1] == 0
    assert most_ambiguous(INDEX, 1)["id"].tolist() == ["i4"]
    assert most_ambiguous(INDEX, 0).empty


def test_most_ambiguous_matches_a_full_sort() -> None:
    index = _index(_random(500))
    all_rows = most_ambiguous(index, 500)
    assert all_rows["agreement"].is_monotonic_increasing
    for n in (1, 7, 100):
        assert most_ambiguous(index, n)["id"].tolist() == all_rows["id"].tolist()[:n]


def test_vote_shares_match_manual_calculation() -> None:
    table = vote_shares(INDEX).set_index("expression")
    assert table["share_of_votes"].sum() == pytest.approx(1)
    assert table.loc["neutral", "share_of_votes"] == pytest.approx(20 / 52)
    assert table.loc["fear", "share_of_votes"] == pytest.approx(4 / 52)
    assert table["share_of_labels"].to_dict() == {
        **dict.fromkeys(map(str, Expression), 0),
        "neutral": 0.75,
        "happiness": 0.25,
    }


def test_excluded_rows_are_skipped() -> None:
    index = INDEX.assign(excluded=[True, False, False, False, True, False, False])
    assert most_ambiguous(index, 10)["id"].tolist() == ["i3", "i2", "i1"]
    assert agreement_histogram(index)["count"].sum() == 2
    assert vote_shares(index).set_index("expression").loc["neutral", "share_of_votes"] == pytest.approx(7 / 32)


def test_an_index_without_votes_is_an_error() -> None:
    index = INDEX[["id", "label"]]
    for function in (agreement_histogram, vote_shares, lambda table: most_ambiguous(table, 3)):
        with pytest.raises(InputError, match="no votes"):
            function(index)


def _leave_one_out(row: np.ndarray) -> float:
    """Leave out each vote in turn and compare it with the most frequent remaining one."""
    agreement = 0.0
    for vote in np.flatnonzero(row):
        remaining = row.copy()
        remaining[vote] -= 1
        winners = np.flatnonzero(remaining == remaining.max())
        agreement += row[vote] * (vote in winners) / len(winners)
    return agreement / row.sum()


def test_single_annotator_agreement_matches_leave_one_out() -> None:
    votes = np.concatenate([_random(300), VOTES])
    labeled = argmax_outcomes(votes) < 8
    expected = np.mean([_leave_one_out(row.astype(int)) for row in votes[labeled]])
    agreement = annotator_agreement(votes)
    assert agreement is not None
    assert agreement.n_images == labeled.sum()
    assert agreement.single_annotator_01 == pytest.approx(expected)


def _enumerate_panels(row: np.ndarray) -> tuple[float, float]:
    """Probability that a new panel gives the same label, if it gives one, and of a tie, over all possible panels."""
    choices, shares, same, tie = np.flatnonzero(row), row / row.sum(), 0.0, 0.0
    for panel in product(choices, repeat=int(row.sum())):
        outcome = argmax_outcomes(np.bincount(panel, minlength=10)[None])[0]
        probability = float(np.prod(shares[list(panel)]))
        same += probability * (outcome == row.argmax())
        tie += probability * (OUTCOMES[outcome] is Unlabeled.TIE)
    return same / (1 - tie), tie


@pytest.mark.parametrize("row", [[2, 1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 3, 0, 1, 0, 0, 0, 0, 2]])
def test_majority_panel_agreement_matches_all_possible_panels(row: list[int]) -> None:
    agreement = annotator_agreement(np.tile(row, (20_000, 1)), seed=1)
    assert agreement is not None
    same, tie = _enumerate_panels(np.array(row))
    assert agreement.majority_panel_01 == pytest.approx(same, abs=0.015)
    assert agreement.majority_panel_tie_01 == pytest.approx(tie, abs=0.015)
    assert (tie > 0.1) == (sum(row) == 6)


def test_the_interval_has_the_nominal_coverage() -> None:
    row = np.array([2, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    votes = np.tile(row, (400, 1))
    agreements = [annotator_agreement(votes, seed) for seed in range(200)]
    covered = [
        c is not None and c.majority_panel_interval[0] <= 20 / 27 <= c.majority_panel_interval[1] for c in agreements
    ]
    assert 0.90 <= np.mean(covered) <= 0.99


def test_full_agreement_gives_a_ceiling_of_one() -> None:
    agreement = annotator_agreement(VOTES[:1])
    assert agreement is not None
    assert (agreement.single_annotator_01, agreement.majority_panel_01, agreement.majority_panel_tie_01) == (1, 1, 0)
    for low, high in (agreement.single_annotator_interval, agreement.majority_panel_interval):
        assert low < 0.9 and high == 1  # few images give a wide interval


def test_the_panels_depend_on_the_seed() -> None:
    votes = _random(500)
    assert annotator_agreement(votes, 1) == annotator_agreement(votes, 1) != annotator_agreement(votes, 2)


def test_without_usable_votes_there_is_no_agreement() -> None:
    assert annotator_agreement(VOTES[[2, 5, 6]]) is None
    assert annotator_agreement(np.array([[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]])) is None
