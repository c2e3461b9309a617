"""Crowd votes: ten columns an image, and the labels made of them.

The columns are the eight expressions in `Expression`'s order, then "unknown" and "not a face"; Barsoum et
al. (2016), "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution".
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fer_core.labels import Expression

VOTE_COLUMNS: tuple[str, ...] = tuple(f"votes_{name}" for name in (*Expression, "unknown", "not_a_face"))
_EXPRESSIONS = len(Expression)

Votes = NDArray[np.integer]
"""Integers, shape (N, 10), in the order of `VOTE_COLUMNS`."""


class Unlabeled(StrEnum):
    """Why an image has no expression as its label."""

    TIE = "tie"
    UNKNOWN = "unknown"
    NOT_A_FACE = "not_a_face"


OUTCOMES: tuple[Expression | Unlabeled, ...] = (*Expression, Unlabeled.UNKNOWN, Unlabeled.NOT_A_FACE, Unlabeled.TIE)
"""What an outcome code stands for: 0..7 expressions, 8 unknown, 9 not a face, 10 tie."""

_TIE = len(OUTCOMES) - 1


def argmax_outcomes(votes: Votes) -> NDArray[np.int64]:
    """The commonest of all ten columns; a shared first place is a tie. Codes of `OUTCOMES`, shape (N,)."""
    best = votes.argmax(1)
    shared = (votes == votes.max(1, keepdims=True)).sum(1) > 1
    return np.where(shared, _TIE, best)


def majority_outcomes(votes: Votes) -> NDArray[np.int64]:
    """FER+'s majority protocol: single votes are zeroed, the winner must hold more than half of the
    remaining votes. Codes of `OUTCOMES`, shape (N,); no majority counts as a tie."""
    kept = drop_single_votes(votes)
    best = kept.argmax(1)
    return np.where(2 * kept.max(1) > kept.sum(1), best, _TIE)


def drop_single_votes(votes: Votes) -> Votes:
    """Votes with every column that only one voter chose set to 0."""
    return np.where(votes <= 1, 0, votes)


def soft_labels(votes: Votes) -> NDArray[np.float32]:
    """Shares of the eight expressions among the votes left once single votes are zeroed.

    Returns:
        float32, shape (N, 8); rows sum to 1, or to 0 where no expression keeps a vote.
    """
    kept = drop_single_votes(votes)[:, :_EXPRESSIONS].astype(np.float32)
    total = kept.sum(1, keepdims=True)
    return np.divide(kept, total, out=np.zeros_like(kept), where=total > 0)
