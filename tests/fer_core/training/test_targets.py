from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.data.catalog import load_labels
from fer_core.data.sources.source import open_source
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.labels import LABEL_SETS, Expression, LabelSet, label_set
from fer_core.settings import Settings
from fer_core.training.targets import build_targets, to_class_indices

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
    targets = build_targets(VOTED, EIGHT, "votes")
    assert targets.dtype == np.float32
    assert targets[0].tolist() == pytest.approx([0.4, 0.3, 0.3, 0, 0, 0, 0, 0])
    assert targets[1].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert not targets[2].any()


def test_a_label_outside_the_set_gives_no_target() -> None:
    assert not build_targets(VOTED, THREE, "votes").any()  # happiness, sadness, anger; the label is neutral


def test_shares_are_normalized_within_the_label_set() -> None:
    index = _index(["happiness", "sadness"], [[2, 4, 2, 0, 0, 0, 0, 0, 2, 0], [4, 0, 6, 0, 0, 0, 0, 0, 0, 0]])
    targets = build_targets(index, THREE, "votes")
    assert targets[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    assert targets[1].tolist() == [0, 1, 0]


TIED = _index(
    [None] * 5,
    [
        [0, 5, 0, 0, 0, 0, 5, 0, 0, 0],  # happiness and anger
        [5, 5, 0, 0, 0, 0, 0, 0, 0, 0],  # neutral and happiness
        [0, 5, 0, 0, 0, 0, 0, 0, 5, 0],  # happiness and unknown
        [0, 3, 0, 0, 0, 0, 0, 0, 7, 0],  # unknown
        [0, 2, 2, 0, 0, 0, 0, 0, 0, 6],  # not a face
    ],
)


def test_a_tie_gives_a_target_only_among_known_expressions() -> None:
    assert build_targets(TIED, EIGHT, "votes").sum(1).tolist() == [1, 1, 0, 0, 0]
    three = build_targets(TIED, THREE, "votes")
    assert three[0].tolist() == [0.5, 0, 0.5]
    assert not three[1:].any()


@pytest.fixture(scope="module")
def real_votes(test_data: Path) -> pd.DataFrame:
    """The index of FER+."""
    settings = Settings()
    with open_source(test_data / "ferplus.zip", settings) as source:
        return load_labels(source, settings)


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS)
def test_every_target_of_real_votes_has_a_label_of_the_set(labels: LabelSet, real_votes: pd.DataFrame) -> None:
    index = real_votes
    has_target = build_targets(index, labels, "votes").sum(1) > 0
    labeled = index["label"].notna().to_numpy(bool)
    assert has_target[labeled].sum() > 8_000
    assert (to_class_indices(index["label"], labels)[has_target & labeled] >= 0).all()
    assert set(index["unlabeled"][has_target & ~labeled]) == {"tie"}


def test_labels_alone_give_one_hot_targets() -> None:
    index = _index(["fear", None, "contempt", "neutral"])
    for kind in ("label", "votes"):  # without votes both mean the label
        targets = build_targets(index, EIGHT, kind)
        assert targets.argmax(1)[[0, 2, 3]].tolist() == [4, 7, 0]
        assert targets.sum(1).tolist() == [1, 0, 1, 1]
    assert build_targets(VOTED, EIGHT, "label")[0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS)
@pytest.mark.parametrize("kind", ["votes", "label"])
def test_targets_sum_to_one_or_zero(kind: str, labels: LabelSet) -> None:
    rng = np.random.default_rng(0)
    votes = rng.multinomial(10, np.full(10, 0.1), 300)
    index = _index(rng.choice(list(map(str, Expression)), 300).tolist(), votes.tolist())
    targets = build_targets(index, labels, kind)
    assert targets.shape == (300, len(labels))
    totals = targets.sum(1)
    assert np.all((np.abs(totals - 1) < 1e-5) | (totals == 0))
    assert (totals > 0).any() and (targets >= 0).all()


def test_class_indices_are_positions_in_the_label_set() -> None:
    names = pd.Series(["happiness", "anger", "fear", None], dtype="string")
    assert to_class_indices(names, THREE).tolist() == [0, 2, -1, -1]
    assert to_class_indices(names, EIGHT).tolist() == [1, 6, 4, -1]
    assert to_class_indices(names, EIGHT).dtype == np.int64


CORRECTED = VOTED.assign(
    label=pd.array(["fear", "neutral", "contempt"], dtype="string"),
    relabeled=[True, False, True],
    excluded=[False, True, False],
    ambiguous=[False, False, True],
)


def test_a_corrected_label_replaces_the_votes() -> None:
    targets = build_targets(CORRECTED, EIGHT, "votes")
    assert targets[0].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert targets[2].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]
    targets_without_corrections = build_targets(CORRECTED.assign(relabeled=False, excluded=False), EIGHT, "votes")
    np.testing.assert_array_equal(targets_without_corrections, build_targets(VOTED, EIGHT, "votes"))


def test_a_corrected_label_outside_the_set_gives_no_target() -> None:
    assert not build_targets(CORRECTED, THREE, "votes").any()


@pytest.mark.parametrize("kind", ["votes", "label"])
def test_excluded_rows_have_no_target_and_ambiguous_ones_on_request(kind: str) -> None:
    assert build_targets(CORRECTED, EIGHT, kind).sum(1).tolist() == [1, 0, 1]
    assert build_targets(CORRECTED, EIGHT, kind, exclude_ambiguous=True).sum(1).tolist() == [1, 0, 0]
    assert build_targets(VOTED, EIGHT, "label", exclude_ambiguous=True).sum(1).tolist() == [1, 1, 0]
