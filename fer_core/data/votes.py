"""Crowd votes, ten per image, and the labels derived from them (Barsoum et al., 2016, arXiv:1608.01041)."""

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
"""Outcomes by code: 0..7 expressions, 8 unknown, 9 not a face, 10 tie."""

_TIE = len(OUTCOMES) - 1


def argmax_outcomes(votes: Votes) -> NDArray[np.int64]:
    """Label by the most frequent of all ten columns; a shared first place is a tie.

    Returns:
        codes of `OUTCOMES`, shape (N,).
    """
    winners = votes.argmax(1)
    tied = (votes == votes.max(1, keepdims=True)).sum(1) > 1
    return np.where(tied, _TIE, winners)


def majority_outcomes(votes: Votes) -> NDArray[np.int64]:
    """Label by FER+'s majority protocol: single votes are dropped, and the winner needs more than half of the rest.

    Returns:
        codes of `OUTCOMES`, shape (N,); no majority is a tie.
    """
    votes = drop_single_votes(votes)
    return np.where(2 * votes.max(1) > votes.sum(1), votes.argmax(1), _TIE)


def drop_single_votes(votes: Votes) -> Votes:
    """Set counts of one vote to 0."""
    return np.where(votes <= 1, 0, votes)


def soft_labels(votes: Votes) -> NDArray[np.float32]:
    """Compute the shares of the eight expressions after single votes are dropped.

    Returns:
        float32, shape (N, 8); rows sum to 1, or to 0 if no vote for an expression remains.
    """
    counts = drop_single_votes(votes)[:, :_EXPRESSIONS].astype(np.float32)
    total = counts.sum(1, keepdims=True)
    return np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
