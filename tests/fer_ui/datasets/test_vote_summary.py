"""What a dataset's votes say, with intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.votes import OUTCOMES, VOTE_COLUMNS, argmax_outcomes
from fer_core.labels import Expression
from fer_ui.datasets.vote_summary import AMBIGUOUS_MAX, describe_votes, summarize_votes


def _index(n: int = 1000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    votes = rng.multinomial(10, rng.dirichlet(np.full(10, 0.4), n)).astype(np.int16)
    named = [OUTCOMES[code] for code in argmax_outcomes(votes)]
    labels = [str(name) if isinstance(name, Expression) else None for name in named]
    splits = ["train", "train", "valid", None]
    index = pd.DataFrame({"label": pd.array(labels, "string"), "split": pd.array(splits * (n // 4), "string")})
    index[list(VOTE_COLUMNS)] = votes
    return index


def test_metrics_worked_out_by_hand() -> None:
    index = _index()
    votes = index[list(VOTE_COLUMNS)].to_numpy()
    agreed = votes[:, :8].max(1) / votes.sum(1)
    seen = summarize_votes(index)
    assert seen is not None and seen.ceiling is not None
    assert seen.images == len(index)
    assert seen.median_01 == np.median(agreed)
    assert seen.clear_01 == (agreed > 0.5).mean()
    for value, (low, high) in (
        (seen.median_01, seen.median_interval),
        (seen.clear_01, seen.clear_interval),
        (seen.ceiling.majority_panel_01, seen.ceiling.majority_panel_interval),
    ):
        assert low <= value <= high
    assert seen.histogram["count"].sum() == index["label"].notna().sum()


def test_the_interval_of_the_median_holds_that_of_many_images() -> None:
    many = summarize_votes(_index(8000, seed=99))
    assert many is not None
    few = [summarize_votes(_index(100, seed)) for seed in range(40)]
    held = [each.median_interval[0] <= many.median_01 <= each.median_interval[1] for each in few if each]
    assert np.mean(held) > 0.9
    widths = [each.median_interval[1] - each.median_interval[0] for each in few if each]
    assert max(widths) <= 0.3


def test_a_split_has_only_its_rows_without_excluded_ones() -> None:
    index = _index()
    train = summarize_votes(index, "train")
    assert train is not None
    assert train.images == 500
    alone = summarize_votes(index[index["split"] == "train"].reset_index(drop=True))
    assert alone is not None
    assert train.ceiling == alone.ceiling
    pd.testing.assert_frame_equal(train.shares, alone.shares)
    assert set(index["split"].iloc[train.ambiguous.index]) == {"train"}
    excluded = index.assign(excluded=index["split"].eq("train").fillna(False).astype(bool))
    assert summarize_votes(excluded, "train") is None
    rest = summarize_votes(excluded)
    assert rest is not None and rest.images == 500


def test_the_most_ambiguous_come_first_with_their_own_votes() -> None:
    index = _index().sample(frac=1, random_state=1).reset_index(drop=True)
    seen = summarize_votes(index)
    assert seen is not None
    for faces in (seen.ambiguous, seen.ambiguous_labeled):
        assert len(faces) == AMBIGUOUS_MAX
        votes = faces[list(VOTE_COLUMNS)].to_numpy()
        np.testing.assert_array_equal(votes, index[list(VOTE_COLUMNS)].to_numpy()[faces.index])
        share = votes[:, :8].max(1) / votes.sum(1)
        assert (np.diff(share) >= 0).all()
    assert index["label"].iloc[seen.ambiguous_labeled.index].notna().all()
    assert index["label"].iloc[seen.ambiguous.index].isna().any()


@pytest.mark.parametrize("rows", [0, 1])
def test_none_or_one_vote_is_no_fault(rows: int) -> None:
    index = _index(4).head(rows)
    seen = summarize_votes(index)
    assert (seen is None) == (rows == 0)
    assert summarize_votes(_index(4).assign(**dict.fromkeys(VOTE_COLUMNS, 0))) is None


def test_votes_are_described_most_frequent_first() -> None:
    assert describe_votes(np.array([3, 0, 4, 0, 0, 0, 2, 0, 0, 1])) == "4 sadness, 3 neutral, 2 anger and 1 not a face"
    assert describe_votes(np.zeros(10, int)) == ""
