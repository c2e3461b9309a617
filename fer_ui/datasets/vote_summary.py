"""Summaries of a dataset's votes by split, cached: metrics with intervals, tables and ambiguous rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.agreement import (
    AnnotatorAgreement,
    VoteWinners,
    agreement_histogram,
    annotator_agreement,
    get_votes,
    most_ambiguous,
    vote_agreement,
    vote_shares,
    vote_winners,
)
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.imbalance.counts import excluded_rows
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.intervals import Z_95, Interval, wilson_interval
from fer_core.labels import Expression
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.resources import load_index

AMBIGUOUS_MAX = 360
"""Ten pages of the faces with the lowest agreement."""

_NEEDED = ("split", "label", "excluded")
_ANSWERS = (*map(str, Expression), "unknown", "not a face")


@dataclass(frozen=True, slots=True)
class VoteSummary:
    """The votes of one split's images that have votes and are not excluded.

    Attributes:
        images: their number.
        median_01: median share of an image's votes for its most voted expression.
        median_interval: 95 %, by ranks.
        clear_01: share of images with an expression that has more than half of the votes.
        clear_interval: 95 %, Wilson.
        ceiling: agreement between people; None where no image has a label and two votes.
        histogram: `agreement.agreement_histogram`.
        winners: `agreement.vote_winners`, with row numbers of the dataset's index.
        shares: `agreement.vote_shares`.
        ambiguous: `agreement.most_ambiguous`, indexed by the row numbers of the dataset's index.
        ambiguous_labeled: the same among faces with a label.
    """

    images: int
    median_01: float
    median_interval: Interval
    clear_01: float
    clear_interval: Interval
    ceiling: AnnotatorAgreement | None
    histogram: pd.DataFrame
    winners: VoteWinners
    shares: pd.DataFrame
    ambiguous: pd.DataFrame
    ambiguous_labeled: pd.DataFrame


def vote_summary(dataset: StoredDataset, split: str) -> VoteSummary | None:
    """Load the summary of one split ("" for all) with the current corrections; None without votes."""
    return _summary(dataset.id, dataset.fingerprint, dataset.corrections().version, split)


def summarize_votes(index: pd.DataFrame, split: str = "") -> VoteSummary | None:
    """Summarize the votes of an index; see `vote_summary`.

    Args:
        index: with `split`, `label`, the votes and, with corrections, `excluded`.
    """
    used = (get_votes(index).sum(1) > 0) & ~excluded_rows(index)
    if split:
        used &= index["split"].eq(split).fillna(False).to_numpy(bool)
    rows = np.flatnonzero(used)
    if not len(rows):
        return None
    voted = index.iloc[rows].set_axis(rows)
    votes = get_votes(voted)
    winners = vote_winners(voted)
    agreed = np.sort(vote_agreement(votes))
    clear = int((agreed > 0.5).sum())
    return VoteSummary(
        images=len(rows),
        median_01=float(np.median(agreed)),
        median_interval=_median_interval(agreed),
        clear_01=clear / len(rows),
        clear_interval=wilson_interval(clear, len(rows)),
        ceiling=annotator_agreement(votes),
        histogram=agreement_histogram(voted),
        winners=winners._replace(rows=rows[winners.rows]),
        shares=vote_shares(voted),
        ambiguous=most_ambiguous(voted, AMBIGUOUS_MAX),
        ambiguous_labeled=most_ambiguous(voted[voted["label"].notna()], AMBIGUOUS_MAX),
    )


def describe_votes(votes: NDArray[np.integer]) -> str:
    """Describe one image's votes, most votes first: "4 sadness, 3 neutral and 3 anger"."""
    order = np.argsort(-votes, kind="stable")
    return join_words([f"{int(votes[answer])} {_ANSWERS[answer]}" for answer in order if votes[answer] > 0])


@st.cache_resource(show_spinner="Counting the votes", max_entries=16)
def _summary(dataset_id: str, fingerprint: str, version: int, split: str) -> VoteSummary | None:
    del fingerprint, version  # part of the key: an import under the same id is another dataset
    dataset = open_dataset(dataset_id, settings())
    index, votes = load_index(dataset)[list(_NEEDED)], dataset.raw_index(list(VOTE_COLUMNS))
    # The pages' index has its categories already, and no column of text that a selection of rows would copy.
    return summarize_votes(pd.concat([index, votes], axis=1), split)


def _median_interval(ordered: NDArray[np.float64]) -> Interval:
    """Compute the 95 % interval of the median by ranks (normal approximation of the binomial).

    Args:
        ordered: in ascending order, shape (N,), not empty.
    """
    half = Z_95 * len(ordered) ** 0.5 / 2
    low, high = np.floor(len(ordered) / 2 - half), np.ceil(len(ordered) / 2 + half)
    first, last = np.clip([low, high], 0, len(ordered) - 1).astype(int)
    return float(ordered[first]), float(ordered[last])
