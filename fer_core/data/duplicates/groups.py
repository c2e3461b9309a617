"""Group the images that a split keeps together: the same picture, or the same person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.duplicates import (
    duplicate_pairs,
    pair_with_first,
    row_pairs,
    value_codes,
    without_excluded,
)
from fer_core.data.duplicates.near_search import connected_components
from fer_core.data.imbalance.counts import excluded_rows


@dataclass(frozen=True, slots=True)
class Groups:
    """Group ids of the images that are not excluded, each of shape (U,); below 0 is no group.

    Attributes:
        rows: row numbers of the images that are not excluded, rising.
        exact: one id for images with the same pixels.
        near: one id for near-duplicates, and the near-duplicates of those.
        identity: one id for images of one person.
        file_name: one id for files of one name, in any folder; only if a split is published.
        published: the published split of each image, as a number.
        group_ids: one id for images that a split keeps together: the groups of `near` and `identity`, merged.
    """

    rows: NDArray[np.int64]
    exact: NDArray[np.int64]
    near: NDArray[np.int64]
    identity: NDArray[np.int64]
    file_name: NDArray[np.int64]
    published: NDArray[np.int64]
    group_ids: NDArray[np.int64]


def find_groups(index: pd.DataFrame, pairs: pd.DataFrame | None = None) -> Groups:
    """Group the images of an index.

    Args:
        index: with `path`, `split` and `identity`, the columns of `duplicates.PAIR_COLUMNS` and, if corrections
            were applied, `excluded`.
        pairs: `duplicate_pairs` of this index; None searches for them.
    """
    rows, included, pairs = _without_excluded_rows(index, pairs)
    near = row_pairs(duplicate_pairs(included) if pairs is None else pairs)
    identity, published = value_codes(included["identity"]), value_codes(included["split"])
    names = included["path"].str.replace(r"^.*/", "", regex=True)
    return Groups(
        rows=rows,
        exact=value_codes(included["sha256"]),
        near=connected_components(len(included), near),
        identity=identity,
        file_name=np.where(published >= 0, value_codes(names), -1),
        published=published,
        group_ids=connected_components(len(included), np.concatenate([near, pair_with_first(identity)])),
    )


def _without_excluded_rows(
    index: pd.DataFrame, pairs: pd.DataFrame | None
) -> tuple[NDArray[np.int64], pd.DataFrame, pd.DataFrame | None]:
    """Select the rows that are not excluded: their numbers, their index, and the pairs between them."""
    is_included = ~excluded_rows(index)
    rows = np.flatnonzero(is_included)
    if len(rows) == len(index):
        return rows, index, pairs
    if pairs is not None:
        pairs = without_excluded(pairs, index)
        position = np.cumsum(is_included) - 1
        pairs = pairs.assign(a=position[pairs["a"]], b=position[pairs["b"]])
    return rows, index.iloc[rows], pairs
