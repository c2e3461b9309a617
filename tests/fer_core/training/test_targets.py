from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.votes import VOTE_COLUMNS
from fer_core.labels import LABEL_SETS, Expression, LabelSet, label_set
from fer_core.training.targets import class_weights, label_codes, target_rows

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


def test_class_weights_worked_out_by_hand() -> None:
    targets = np.eye(3, dtype=np.float32)[[0, 0, 0, 1]]
    assert class_weights(targets).tolist() == pytest.approx([4 / (3 * 3), 4 / (3 * 1), 0])


def test_weighted_classes_count_alike() -> None:
    targets = np.eye(4, dtype=np.float32)[np.random.default_rng(0).choice(4, 500, p=[0.7, 0.2, 0.07, 0.03])]
    assert (class_weights(targets) * targets.sum(0)).tolist() == pytest.approx([125] * 4, rel=1e-5)
