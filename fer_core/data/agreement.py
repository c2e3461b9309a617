"""Agreement of annotators: by image, over a dataset, and as a ceiling for models; excluded rows are not counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.imbalance.counts import category_codes, excluded_rows
from fer_core.data.votes import OUTCOMES, VOTE_COLUMNS, Unlabeled, Votes, argmax_outcomes
from fer_core.errors import InputError
from fer_core.intervals import Z_95, Interval
from fer_core.labels import Expression

_NAMES = [str(expression) for expression in Expression]
_EXPRESSIONS = len(_NAMES)
_TIE = OUTCOMES.index(Unlabeled.TIE)
_BINS_MAX = 10
_CHUNK = 100_000
"""Rows that are resampled at once, which bounds memory."""


@dataclass(frozen=True, slots=True)
class AnnotatorAgreement:
    """How often annotators agree with the label, over the images whose votes give an expression.

    Attributes:
        n_images: images that have a label and at least two votes.
        single_annotator_01: share of single votes that equal the majority of the image's other votes.
        majority_panel_01: share of resampled panels of the same size whose majority is the label, ties excluded.
        majority_panel_tie_01: share of resampled panels that end in a tie.
        single_annotator_interval, majority_panel_interval: 95 % confidence intervals over images.
    """

    n_images: int
    single_annotator_01: float
    single_annotator_interval: Interval
    majority_panel_01: float
    majority_panel_interval: Interval
    majority_panel_tie_01: float


def get_votes(index: pd.DataFrame) -> Votes:
    """Return the votes of an index; integers, shape (N, 10).

    Raises:
        InputError: the index has none.
    """
    if VOTE_COLUMNS[0] not in index:
        raise InputError("This dataset has no votes: agreement can't be measured. Choose one with votes, such as FER+.")
    return index[list(VOTE_COLUMNS)].to_numpy()


def vote_agreement(votes: Votes) -> NDArray[np.float64]:
    """Compute the share of all votes that the most frequent expression has; 0..1, shape (N,).

    Votes for "unknown" and "not a face" count in the total only. Images without votes get nan.
    """
    total = votes.sum(1)
    return np.divide(votes[:, :_EXPRESSIONS].max(1), total, out=np.full(len(votes), np.nan), where=total > 0)


class VoteWinners(NamedTuple):
    """The images that have an expression with the most votes; excluded ones are skipped.

    Attributes:
        rows: their row numbers, shape (W,).
        votes: for the winner, scaled to `of` where the number of annotators varies; integers, shape (W,).
        codes: the winner, as its position in `Expression`; integers, shape (W,).
        of: the most frequent number of votes, at most ten; 0 without images.
    """

    rows: NDArray[np.intp]
    votes: NDArray[np.int64]
    codes: NDArray[np.int64]
    of: int


def vote_winners(index: pd.DataFrame) -> VoteWinners:
    """Find the expression with the most votes of each image, and its number of votes.

    Raises:
        InputError: the index has no votes.
    """
    votes = get_votes(index)
    outcomes = argmax_outcomes(votes)
    rows = np.flatnonzero((outcomes < _EXPRESSIONS) & ~excluded_rows(index))
    of = min(int(np.bincount(votes[rows].sum(1)).argmax()), _BINS_MAX) if len(rows) else 0
    winner_votes = np.rint(vote_agreement(votes[rows]) * of).astype(np.int64)
    return VoteWinners(rows, winner_votes, outcomes[rows].astype(np.int64), of)


def agreement_histogram(index: pd.DataFrame) -> pd.DataFrame:
    """Count images by the number of votes of the winner and by the winning expression.

    Images without a winning expression are skipped. If the number of annotators varies, shares are scaled to the most
    frequent number, at most ten.

    Returns:
        columns `votes` (for the winner), `of` (votes in all), `expression`, `count`; a row for each expression and each
        number of votes from the smallest to the largest.
    Raises:
        InputError: the index has no votes.
    """
    columns = ["votes", "of", "expression", "count"]
    winners = vote_winners(index)
    if not len(winners.rows):
        return pd.DataFrame(columns=columns)
    of, winner_votes = winners.of, winners.votes
    bins = winner_votes * _EXPRESSIONS + winners.codes
    counts = np.bincount(bins, minlength=(of + 1) * _EXPRESSIONS).reshape(of + 1, -1)
    rows = [
        (n_votes, of, str(expression), int(counts[n_votes, code]))
        for n_votes in range(winner_votes.min(), winner_votes.max() + 1)
        for code, expression in enumerate(Expression)
    ]
    return pd.DataFrame(rows, columns=columns)


def most_ambiguous(index: pd.DataFrame, n: int) -> pd.DataFrame:
    """Find the `n` rows with the lowest agreement; of equals, those with the highest entropy first.

    Images whose winner is "unknown" or "not a face" are skipped, ties are not.

    Returns:
        rows of `index` with columns `agreement` (0..1) and `entropy` (of all ten columns, nats), most ambiguous first.
    Raises:
        InputError: the index has no votes.
    """
    votes = get_votes(index)
    share, largest = vote_agreement(votes), votes.max(1)
    is_expression = (votes[:, :_EXPRESSIONS].max(1) == largest) & (largest > 0)
    rows = np.flatnonzero(is_expression & ~excluded_rows(index))
    if len(rows) > n > 0:  # entropy is computed for possible results only
        rows = rows[share[rows] <= np.partition(share[rows], n - 1)[n - 1]]
    shares = votes[rows] / votes[rows].sum(1, keepdims=True)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(1)
    first = np.lexsort((-entropy, share[rows]))[: max(n, 0)]
    return index.iloc[rows[first]].assign(agreement=share[rows[first]], entropy=entropy[first])


def vote_shares(index: pd.DataFrame) -> pd.DataFrame:
    """Compare each expression's share of the votes with its share of the labels.

    Votes of images without a label count too. Rare expressions often lose the majority, so that their share of the
    labels is smaller.

    Returns:
        columns `expression`, `share_of_votes`, `share_of_labels`; 0..1, each sums to 1 (or 0 if there is nothing).
    Raises:
        InputError: the index has no votes.
    """
    included = ~excluded_rows(index)
    votes = get_votes(index)[included, :_EXPRESSIONS].sum(0, dtype=np.int64)
    codes = category_codes(index["label"], _NAMES)
    labels = np.bincount(codes[included & (codes >= 0)], minlength=_EXPRESSIONS)
    return pd.DataFrame(
        {
            "expression": _NAMES,
            "share_of_votes": votes / max(votes.sum(), 1),
            "share_of_labels": labels / max(labels.sum(), 1),
        }
    )


def annotator_agreement(votes: Votes, seed: int = 0) -> AnnotatorAgreement | None:
    """Measure how often annotators agree with the label; None if no image has both a label and two votes.

    Single annotator: the exact probability that one vote of an image equals the majority of its other votes. If k
    outcomes share the first place among the others, an equal vote counts 1 / k. Majority panel: as many votes as the
    image has are resampled from its shares, and their majority is compared with the label, without ties.

    Both use the images whose label is an expression; votes for "unknown" and "not a face" are possible answers.

    Args:
        votes: integers, shape (N, 10).
        seed: seed of the resampling.
    """
    votes = votes[(argmax_outcomes(votes) < _EXPRESSIONS) & (votes.sum(1) > 1)].astype(np.int64)
    if not len(votes):
        return None
    labels = votes.argmax(1)
    single = _single_annotator(votes)
    rng = np.random.default_rng(seed)
    panels = np.concatenate(
        [_resample_outcomes(chunk, rng) for chunk in np.array_split(votes, -(-len(votes) // _CHUNK))]
    )
    decided = panels != _TIE
    agreed = float((panels == labels).sum() / max(decided.sum(), 1))
    # the variance of a ratio of two sums over images, by the delta method
    terms = np.where(decided, (panels == labels) - agreed, 0.0) / max(decided.mean(), 1 / len(votes))
    return AnnotatorAgreement(
        n_images=len(votes),
        single_annotator_01=float(single.mean()),
        single_annotator_interval=_interval(float(single.mean()), single),
        majority_panel_01=agreed,
        majority_panel_interval=_interval(agreed, terms),
        majority_panel_tie_01=float(1 - decided.mean()),
    )


def _single_annotator(votes: Votes) -> NDArray[np.float64]:
    """Compute the probability that one vote equals the majority of the others, for images without a tie; shape (N,).

    Only a vote for the winner can be equal. Without it the winner is still first, or tied with outcomes that were one
    vote behind.
    """
    largest, second = votes.max(1), np.partition(votes, -2, axis=1)[:, -2]
    n_second = (votes == second[:, None]).sum(1)
    return np.where(largest - 1 > second, 1.0, 1 / (1 + n_second)) * largest / votes.sum(1)


def _resample_outcomes(votes: Votes, rng: np.random.Generator) -> NDArray[np.int64]:
    """Resample as many votes from the shares of each image and return the outcomes as codes of `OUTCOMES`."""
    total = votes.sum(1)
    return argmax_outcomes(rng.multinomial(total, votes / total[:, None]))


def _interval(mean: float, terms: NDArray[np.float64]) -> Interval:
    """Compute a 95 % interval with one agreeing and one disagreeing image added, after Agresti and Coull (1998)."""
    squares = float(((terms - terms.mean()) ** 2).sum()) + mean**2 + (1 - mean) ** 2
    half = Z_95 * squares**0.5 / (len(terms) + 2)
    return (max(0.0, mean - half), min(1.0, mean + half))
