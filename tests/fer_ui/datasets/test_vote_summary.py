"""Summary of a dataset's votes, with intervals."""

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
    outcomes = [OUTCOMES[code] for code in argmax_outcomes(votes)]
    labels = [str(name) if isinstance(name, Expression) else None for name in outcomes]
    splits = ["train", "train", "valid", None]
    index = pd.DataFrame({"label": pd.array(labels, "string"), "split": pd.array(splits * (n // 4), "string")})
    index[list(VOTE_COLUMNS)] = votes
    return index


def test_metrics_match_their_formulas() -> None:
    index = _index()
    votes = index[list(VOTE_COLUMNS)].to_numpy()
    agreement = votes[:, :8].max(1) / votes.sum(1)
    summary = summarize_votes(index)
    assert summary is not None and summary.ceiling is not None
    assert summary.images == len(index)
    assert summary.median_01 == np.median(agreement)
    assert summary.clear_01 == (agreement > 0.5).mean()
    for value, (low, high) in (
        (summary.median_01, summary.median_interval),
        (summary.clear_01, summary.clear_interval),
        (summary.ceiling.majority_panel_01, summary.ceiling.majority_panel_interval),
    ):
        assert low <= value <= high
    assert summary.histogram["count"].sum() == index["label"].notna().sum()


def test_the_interval_of_the_median_covers_the_population_median() -> None:
    population = summarize_votes(_index(8000, seed=99))
    assert population is not None
    summaries = [summarize_votes(_index(100, seed)) for seed in range(40)]
    is_covered = [
        summary.median_interval[0] <= population.median_01 <= summary.median_interval[1]
        for summary in summaries
        if summary
    ]
    assert np.mean(is_covered) > 0.9
    widths = [summary.median_interval[1] - summary.median_interval[0] for summary in summaries if summary]
    assert max(widths) <= 0.3


def test_a_split_has_only_its_rows_without_excluded_ones() -> None:
    index = _index()
    train = summarize_votes(index, "train")
    assert train is not None
    assert train.images == 500
    train_only = summarize_votes(index[index["split"] == "train"].reset_index(drop=True))
    assert train_only is not None
    assert train.ceiling == train_only.ceiling
    pd.testing.assert_frame_equal(train.shares, train_only.shares)
    assert set(index["split"].iloc[train.ambiguous.index]) == {"train"}
    excluded = index.assign(excluded=index["split"].eq("train").fillna(False).astype(bool))
    assert summarize_votes(excluded, "train") is None
    without_train = summarize_votes(excluded)
    assert without_train is not None and without_train.images == 500


def test_the_most_ambiguous_come_first_with_their_own_votes() -> None:
    index = _index().sample(frac=1, random_state=1).reset_index(drop=True)
    summary = summarize_votes(index)
    assert summary is not None
    for faces in (summary.ambiguous, summary.ambiguous_labeled):
        assert len(faces) == AMBIGUOUS_MAX
        votes = faces[list(VOTE_COLUMNS)].to_numpy()
        np.testing.assert_array_equal(votes, index[list(VOTE_COLUMNS)].to_numpy()[faces.index])
        share = votes[:, :8].max(1) / votes.sum(1)
        assert (np.diff(share) >= 0).all()
    assert index["label"].iloc[summary.ambiguous_labeled.index].notna().all()
    assert index["label"].iloc[summary.ambiguous.index].isna().any()


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_vote_is_no_error(rows: int) -> None:
    index = _index(4).head(rows)
    summary = summarize_votes(index)
    assert (summary is None) == (rows == 0)
    assert summarize_votes(_index(4).assign(**dict.fromkeys(VOTE_COLUMNS, 0))) is None


def test_votes_are_described_most_frequent_first() -> None:
    assert describe_votes(np.array([3, 0, 4, 0, 0, 0, 2, 0, 0, 1])) == "4 sadness, 3 neutral, 2 anger and 1 not a face"
    assert describe_votes(np.zeros(10, int)) == ""
