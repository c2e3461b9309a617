"""What votes say of a dataset: how far voters agree, on which faces they don't, and the ceiling that sets.

A winner is the commonest of all ten columns, as labels are made; see `votes`. Rows that the overlay excludes are
left out everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.imbalance.counts import category_codes, excluded_rows
from fer_core.data.votes import OUTCOMES, VOTE_COLUMNS, Unlabeled, Votes, argmax_outcomes
from fer_core.errors import InputError
from fer_core.intervals import Interval
from fer_core.labels import Expression

_NAMES = [str(expression) for expression in Expression]
_EXPRESSIONS = len(_NAMES)
_TIE = OUTCOMES.index(Unlabeled.TIE)
_BINS_MAX = 10
_Z = 1.959964
_CHUNK = 100_000
"""Rows whose panels are drawn at once, so that memory does not grow with the dataset."""


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
    """The votes of every row; integers, shape (N, 10).

    Raises:
        InputError: the index has none.
    """
    if VOTE_COLUMNS[0] not in index:
        raise InputError("This dataset has no votes: agreement can't be measured. Choose one with votes, such as FER+.")
    return index[list(VOTE_COLUMNS)].to_numpy()


def vote_agreement(votes: Votes) -> NDArray[np.float64]:
    """The share of an image's votes, over all ten columns, that its commonest expression holds; 0..1, shape (N,).

    Where "unknown" or "not a face" came first it is the share of the first among the expressions. An image without
    votes gets nan.
    """
    total = votes.sum(1)
    return np.divide(votes[:, :_EXPRESSIONS].max(1), total, out=np.full(len(votes), np.nan), where=total > 0)


def agreement_histogram(index: pd.DataFrame) -> pd.DataFrame:
    """Images by how many votes their winner has, and by the winning expression.

    Images without a winning expression (a tie, unknown, not a face) are left out. Where panels differ in size, the
    winner's share is put on the scale of the commonest size; beyond ten voters, on a scale of ten.

    Returns:
        columns `votes` (for the winner), `of`, `expression`, `count`; a row for each expression and each number of
        votes from the least to the most that occurs.
    Raises:
        InputError: the index has no votes.
    """
    votes = get_votes(index)
    outcomes = argmax_outcomes(votes)
    kept = (outcomes < _EXPRESSIONS) & ~excluded_rows(index)
    columns = ["votes", "of", "expression", "count"]
    if not kept.any():
        return pd.DataFrame(columns=columns)
    of = min(int(np.bincount(votes[kept].sum(1)).argmax()), _BINS_MAX)
    won = np.rint(vote_agreement(votes[kept]) * of).astype(int)
    counted = np.bincount(won * _EXPRESSIONS + outcomes[kept], minlength=(of + 1) * _EXPRESSIONS).reshape(of + 1, -1)
    rows = [
        (bin_, of, str(expression), int(counted[bin_, code]))
        for bin_ in range(won.min(), won.max() + 1)
        for code, expression in enumerate(Expression)
    ]
    return pd.DataFrame(rows, columns=columns)


def most_ambiguous(index: pd.DataFrame, n: int) -> pd.DataFrame:
    """The `n` rows on which voters agree least; of equals, those whose votes spread over more columns first.

    Images on which "unknown" or "not a face" came first are another question, and left out; ties are not.

    Returns:
        rows of `index` with columns `agreement` (0..1) and `entropy` (of all ten columns, nats), most ambiguous first.
    Raises:
        InputError: the index has no votes.
    """
    votes = get_votes(index)
    share, first_of_all = vote_agreement(votes), votes.max(1)
    on_a_face = (votes[:, :_EXPRESSIONS].max(1) == first_of_all) & (first_of_all > 0)
    asked = np.flatnonzero(on_a_face & ~excluded_rows(index))
    if len(asked) > n > 0:  # the entropy of those that can be among them alone
        asked = asked[share[asked] <= np.partition(share[asked], n - 1)[n - 1]]
    shares = votes[asked] / votes[asked].sum(1, keepdims=True)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(1)
    first = np.lexsort((-entropy, share[asked]))[: max(n, 0)]
    return index.iloc[asked[first]].assign(agreement=share[asked[first]], entropy=entropy[first])


def vote_shares(index: pd.DataFrame) -> pd.DataFrame:
    """What share of all votes for an expression each expression has, against its share of the labels.

    Votes count on every image, those without a label too: rare expressions often lose the majority, and so their
    share of the labels is smaller than their share of the votes.

    Returns:
        columns `expression`, `share_of_votes`, `share_of_labels`; 0..1, each sums to 1 (0 where there is nothing).
    Raises:
        InputError: the index has no votes.
    """
    kept = ~excluded_rows(index)
    votes = get_votes(index)[kept, :_EXPRESSIONS].sum(0, dtype=np.int64)
    codes = category_codes(index["label"], _NAMES)
    labels = np.bincount(codes[kept & (codes >= 0)], minlength=_EXPRESSIONS)
    return pd.DataFrame(
        {
            "expression": _NAMES,
            "share_of_votes": votes / max(votes.sum(), 1),
            "share_of_labels": labels / max(labels.sum(), 1),
        }
    )


def annotator_agreement(votes: Votes, seed: int = 0) -> AnnotatorAgreement | None:
    """How well people do at what a model is asked to do; None where no image has both a label and two votes.

    One voter against the rest: a vote is drawn from the image's votes, and the majority of the others is the truth.
    The chance that they are equal is computed, not sampled. Where k answers share the first place among the others,
    an equal vote counts 1 / k: ties are broken at random.

    A new panel: as many votes as the image has are drawn from its shares. A tie gives no label, here as in the data,
    and leaves the panel out. Panels are sampled from `seed`.

    Both ask about the images whose votes make an expression the label, as the labels of a dataset do; both answers
    may also be "unknown" or "not a face".

    Args:
        votes: integers, shape (N, 10).
    """
    votes = votes[(argmax_outcomes(votes) < _EXPRESSIONS) & (votes.sum(1) > 1)].astype(np.int64)
    if not len(votes):
        return None
    labels = votes.argmax(1)
    alone = _one_voter(votes)
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([_new_outcomes(part, rng) for part in np.array_split(votes, -(-len(votes) // _CHUNK))])
    decided = drawn != _TIE
    again = float((drawn == labels).sum() / max(decided.sum(), 1))
    # a ratio of two sums over images: its spread is that of the images' parts in it (the delta method)
    parts = np.where(decided, (drawn == labels) - again, 0.0) / max(decided.mean(), 1 / len(votes))
    return AnnotatorAgreement(
        n_images=len(votes),
        single_annotator_01=float(alone.mean()),
        single_annotator_interval=_interval(float(alone.mean()), alone),
        majority_panel_01=again,
        majority_panel_interval=_interval(again, parts),
        majority_panel_tie_01=float(1 - decided.mean()),
    )


def _one_voter(votes: Votes) -> NDArray[np.float64]:
    """The chance that one vote equals the majority of the others, where one answer came first alone; shape (N,).

    Only a vote for the winner can: any other leaves the winner ahead. Without that vote the winner is still first,
    or shares the place with those that were one vote behind.
    """
    largest, second = votes.max(1), np.partition(votes, -2, axis=1)[:, -2]
    level = (votes == second[:, None]).sum(1)
    return np.where(largest - 1 > second, 1.0, 1 / (1 + level)) * largest / votes.sum(1)


def _new_outcomes(votes: Votes, rng: np.random.Generator) -> NDArray[np.int64]:
    """The labels of new panels of the same sizes, drawn from the shares of these votes. Codes of `OUTCOMES`."""
    total = votes.sum(1)
    return argmax_outcomes(rng.multinomial(total, votes / total[:, None]))


def _interval(mean: float, parts: NDArray[np.float64]) -> Interval:
    """As if one more image had agreed and one more had not, after Agresti and Coull (1998): never of zero width."""
    spread = float(((parts - parts.mean()) ** 2).sum()) + mean**2 + (1 - mean) ** 2
    half = _Z * spread**0.5 / (len(parts) + 2)
    return (max(0.0, mean - half), min(1.0, mean + half))
