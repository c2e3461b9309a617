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
    """An index whose labels are those that the votes make."""
    named = [OUTCOMES[code] for code in argmax_outcomes(votes)]
    labels = [str(name) if isinstance(name, Expression) else None for name in named]
    index = pd.DataFrame({"id": [f"i{place}" for place in range(len(votes))], "label": pd.array(labels, "string")})
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
    found = table[table["count"] > 0].to_dict("records")
    assert found == [
        {"votes": 3, "of": 10, "expression": "neutral", "count": 2},
        {"votes": 6, "of": 10, "expression": "happiness", "count": 1},
        {"votes": 10, "of": 10, "expression": "neutral", "count": 1},
    ]
    assert sorted(set(table["votes"])) == list(range(3, 11))
    assert len(table) == 8 * 8


def test_the_histogram_of_any_votes_adds_up_to_the_labels() -> None:
    index = _index(_random(2000))
    table = agreement_histogram(index)
    counted = table.groupby("expression")["count"].sum()
    expected = index["label"].value_counts()
    assert {name: n for name, n in counted.items() if n} == expected.to_dict()


def test_panels_of_other_sizes_go_by_share() -> None:
    votes = np.zeros((4, 10), int)
    votes[:, 0] = [5, 5, 20, 15]
    votes[:, 1] = [0, 0, 0, 5]
    table = agreement_histogram(_index(votes))
    assert set(table["of"]) == {5}
    assert table.loc[table["count"] > 0, ["votes", "count"]].to_numpy().tolist() == [[4, 1], [5, 3]]
    crowd = agreement_histogram(_index(votes[:, :] * 8))
    assert set(crowd["of"]) == {10}


def test_votes_that_agree_on_nothing_make_an_empty_histogram() -> None:
    assert agreement_histogram(INDEX.iloc[[2, 5, 6]]).empty


def test_the_most_ambiguous_come_first_and_entropy_breaks_ties() -> None:
    table = most_ambiguous(INDEX, 10)
    assert table["id"].tolist() == ["i4", "i3", "i2", "i1", "i0"]
    assert table["agreement"].tolist() == pytest.approx([0.3, 0.3, 0.4, 0.6, 1])
    assert table["entropy"].iloc[0] > table["entropy"].iloc[1]
    assert table["entropy"].iloc[-1] == 0
    assert most_ambiguous(INDEX, 1)["id"].tolist() == ["i4"]
    assert most_ambiguous(INDEX, 0).empty


def test_the_first_of_many_are_those_of_a_full_sort() -> None:
    index = _index(_random(500))
    everything = most_ambiguous(index, 500)
    assert everything["agreement"].is_monotonic_increasing
    for n in (1, 7, 100):
        assert most_ambiguous(index, n)["id"].tolist() == everything["id"].tolist()[:n]


def test_shares_of_votes_and_labels_worked_out_by_hand() -> None:
    table = vote_shares(INDEX).set_index("expression")
    assert table["share_of_votes"].sum() == pytest.approx(1)
    assert table.loc["neutral", "share_of_votes"] == pytest.approx(20 / 52)
    assert table.loc["fear", "share_of_votes"] == pytest.approx(4 / 52)
    assert table["share_of_labels"].to_dict() == {
        **dict.fromkeys(map(str, Expression), 0),
        "neutral": 0.75,
        "happiness": 0.25,
    }


def test_excluded_rows_are_left_out() -> None:
    index = INDEX.assign(excluded=[True, False, False, False, True, False, False])
    assert most_ambiguous(index, 10)["id"].tolist() == ["i3", "i2", "i1"]
    assert agreement_histogram(index)["count"].sum() == 2
    assert vote_shares(index).set_index("expression").loc["neutral", "share_of_votes"] == pytest.approx(7 / 32)


def test_an_index_without_votes_is_an_error_in_words() -> None:
    index = INDEX[["id", "label"]]
    for ask in (agreement_histogram, vote_shares, lambda table: most_ambiguous(table, 3)):
        with pytest.raises(InputError, match="no votes"):
            ask(index)


def _one_voter_counted(row: np.ndarray) -> float:
    """Take each vote away in turn, and look."""
    hits = 0.0
    for answer in np.flatnonzero(row):
        others = row.copy()
        others[answer] -= 1
        first = np.flatnonzero(others == others.max())
        hits += row[answer] * (answer in first) / len(first)
    return hits / row.sum()


def test_one_voter_is_what_taking_each_vote_away_in_turn_gives() -> None:
    votes = np.concatenate([_random(300), VOTES])
    labeled = argmax_outcomes(votes) < 8
    expected = np.mean([_one_voter_counted(row.astype(int)) for row in votes[labeled]])
    ceiling = annotator_agreement(votes)
    assert ceiling is not None
    assert ceiling.n_images == labeled.sum()
    assert ceiling.single_annotator_01 == pytest.approx(expected)


def _panel_exactly(row: np.ndarray) -> tuple[float, float]:
    """The chances that a new panel ends in the label, given it has one, and that it ends in a tie: all panels."""
    answers, shares, same, tied = np.flatnonzero(row), row / row.sum(), 0.0, 0.0
    for panel in product(answers, repeat=int(row.sum())):
        outcome = argmax_outcomes(np.bincount(panel, minlength=10)[None])[0]
        chance = float(np.prod(shares[list(panel)]))
        same += chance * (outcome == row.argmax())
        tied += chance * (OUTCOMES[outcome] is Unlabeled.TIE)
    return same / (1 - tied), tied


@pytest.mark.parametrize("row", [[2, 1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 3, 0, 1, 0, 0, 0, 0, 2]])
def test_a_new_panel_is_drawn_from_the_votes_and_a_tie_gives_no_label(row: list[int]) -> None:
    ceiling = annotator_agreement(np.tile(row, (20_000, 1)), seed=1)
    assert ceiling is not None
    same, tied = _panel_exactly(np.array(row))
    assert ceiling.majority_panel_01 == pytest.approx(same, abs=0.015)
    assert ceiling.majority_panel_tie_01 == pytest.approx(tied, abs=0.015)
    assert (tied > 0.1) == (sum(row) == 6)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    row = np.array([2, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    votes = np.tile(row, (400, 1))
    ceilings = [annotator_agreement(votes, seed) for seed in range(200)]
    held = [c is not None and c.majority_panel_interval[0] <= 20 / 27 <= c.majority_panel_interval[1] for c in ceilings]
    assert 0.90 <= np.mean(held) <= 0.99


def test_full_agreement_leaves_nothing_to_people() -> None:
    ceiling = annotator_agreement(VOTES[:1])
    assert ceiling is not None
    assert (ceiling.single_annotator_01, ceiling.majority_panel_01, ceiling.majority_panel_tie_01) == (1, 1, 0)
    for low, high in (ceiling.single_annotator_interval, ceiling.majority_panel_interval):
        assert low < 0.9 and high == 1  # a handful of images proves little


def test_the_same_seed_gives_the_same_panels_and_another_others() -> None:
    votes = _random(500)
    assert annotator_agreement(votes, 1) == annotator_agreement(votes, 1) != annotator_agreement(votes, 2)


def test_without_an_image_to_ask_about_there_is_no_ceiling() -> None:
    assert annotator_agreement(VOTES[[2, 5, 6]]) is None
    assert annotator_agreement(np.array([[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]])) is None
