"""The confusions of a matrix: which classes are predicted as which others, as shares of the class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.labels import Expression
from fer_core.metrics import RANKED_IMAGES_MIN


class Confusion(NamedTuple):
    """A cell off the diagonal: images of `label` that are predicted as `predicted`."""

    label: Expression
    predicted: Expression
    number: int
    support: int


def row_shares(confusion: NDArray[np.integer]) -> NDArray[np.float64]:
    """Compute each cell's share of its row, 0..1, shape (K, K); NaN in rows without images."""
    supports = confusion.sum(axis=1, keepdims=True).astype(float)
    empty = np.full(confusion.shape, np.nan, dtype=np.float64)
    shares: NDArray[np.float64] = np.divide(confusion, supports, out=empty, where=supports > 0)
    return shares


def find_confusions(confusion: NDArray[np.integer], labels: Sequence[Expression]) -> list[Confusion]:
    """List the confusions with errors, the largest share of its class first.

    Classes of fewer than `RANKED_IMAGES_MIN` images are left out.
    """
    wrong = np.nan_to_num(row_shares(confusion))
    wrong[confusion.sum(axis=1) < RANKED_IMAGES_MIN] = 0.0
    np.fill_diagonal(wrong, 0.0)
    order = np.argsort(-wrong, axis=None, kind="stable")[: np.count_nonzero(wrong)]
    cells = [divmod(int(place), len(labels)) for place in order]
    return [
        Confusion(labels[row], labels[column], int(confusion[row, column]), int(confusion[row].sum()))
        for row, column in cells
    ]
