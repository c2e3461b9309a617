from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.votes import VOTE_COLUMNS
from fer_core.labels import LABEL_SETS, Expression, LabelSet, label_set
from fer_core.training.targets import label_codes, target_rows

EIGHT, THREE = label_set("eight"), label_set("three")


def _index(labels: list[str | None], votes: list[list[int]] | None = None) -> pd.DataFrame:
    index = pd.DataFrame({"label": pd.array(labels, dtype="string")})
    if votes:
        index[list(VOTE_COLUMNS)] = votes
    return index


#        neutral, happiness, sadness, surprise, fear, disgust, anger, contempt, unknown, not a face
VOTES = [
    [4, 3, 3, 0, 0, 0, 0, 0, 0, 0],
    [9, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 1, 0, 9],
]
VOTED = _index(["neutral", "neutral", None], VOTES)


def test_votes_become_shares() -> None:
    rows = target_rows(VOTED, EIGHT, "votes")
    assert rows.dtype == np.float32
    assert rows[0].tolist() == pytest.approx([0.4, 0.3, 0.3, 0, 0, 0, 0, 0])
    assert rows[1].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert not rows[2].any()


def test_shares_among_a_smaller_label_set_are_of_that_set() -> None:
    rows = target_rows(VOTED, THREE, "votes")  # happiness, sadness, anger
    assert rows[0].tolist() == pytest.approx([0.5, 0.5, 0])
    assert not rows[1:].any()


def test_labels_alone_give_one_for_the_label() -> None:
    index = _index(["fear", None, "contempt", "neutral"])
    for kind in ("label", "votes"):  # without votes both mean the label
        rows = target_rows(index, EIGHT, kind)
        assert rows.argmax(1)[[0, 2, 3]].tolist() == [4, 7, 0]
        assert rows.sum(1).tolist() == [1, 0, 1, 1]
    assert target_rows(VOTED, EIGHT, "label")[0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS)
@pytest.mark.parametrize("kind", ["votes", "label"])
def test_rows_sum_to_one_or_teach_nothing(kind: str, labels: LabelSet) -> None:
    rng = np.random.default_rng(0)
    votes = rng.multinomial(10, np.full(10, 0.1), 300)
    index = _index(rng.choice(list(map(str, Expression)), 300).tolist(), votes.tolist())
    rows = target_rows(index, labels, kind)
    assert rows.shape == (300, len(labels))
    totals = rows.sum(1)
    assert np.all((np.abs(totals - 1) < 1e-5) | (totals == 0))
    assert (totals > 0).any() and (rows >= 0).all()


def test_codes_are_the_places_in_the_label_set() -> None:
    names = pd.Series(["happiness", "anger", "fear", None], dtype="string")
    assert label_codes(names, THREE).tolist() == [0, 2, -1, -1]
    assert label_codes(names, EIGHT).tolist() == [1, 6, 4, -1]
    assert label_codes(names, EIGHT).dtype == np.int64


MARKED = VOTED.assign(
    label=pd.array(["fear", "neutral", "contempt"], dtype="string"),
    relabelled=[True, False, True],
    excluded=[False, True, False],
    disputed=[False, False, True],
)


def test_a_new_label_teaches_itself_whatever_the_votes() -> None:
    rows = target_rows(MARKED, EIGHT, "votes")
    assert rows[0].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert rows[2].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]
    kept = target_rows(MARKED.assign(relabelled=False, excluded=False), EIGHT, "votes")
    np.testing.assert_array_equal(kept, target_rows(VOTED, EIGHT, "votes"))


def test_a_new_label_outside_the_label_set_teaches_nothing() -> None:
    assert not target_rows(MARKED, THREE, "votes").any()


@pytest.mark.parametrize("kind", ["votes", "label"])
def test_excluded_rows_teach_nothing_and_disputed_ones_not_when_left_out(kind: str) -> None:
    assert target_rows(MARKED, EIGHT, kind).sum(1).tolist() == [1, 0, 1]
    assert target_rows(MARKED, EIGHT, kind, leave_out_disputed=True).sum(1).tolist() == [1, 0, 0]
    assert target_rows(VOTED, EIGHT, "label", leave_out_disputed=True).sum(1).tolist() == [1, 1, 0]
