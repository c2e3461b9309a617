"""Groups of images that a split keeps together: the same picture, or the same person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.duplicates import duplicate_pairs, row_pairs, without_excluded
from fer_core.data.duplicates.near_search import connected_components
from fer_core.data.imbalance.counts import excluded_rows


@dataclass(frozen=True, slots=True)
class Groups:
    """Group ids of the images in use, each of shape (U,); below 0 is no group.

    Attributes:
        rows: row numbers of the images that corrections do not exclude, rising.
        exact: one id for images with the same pixels.
        near: one id for near-duplicates, and the near-duplicates of those.
        identity: one id for images of one person.
        file_name: one id for files of one name, in any folder; only where a split was published.
        published: the published split of each image, as a number.
        group_ids: one id for what a split keeps together: the groups of `near` and `identity`, merged.
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
        index: with `path`, `split` and `identity`, the columns of `duplicates.PAIR_COLUMNS` and, where corrections
            were applied, `excluded`.
        pairs: what `duplicate_pairs` found in this index before; searched for when None.
    """
    rows, used, pairs = _in_use(index, pairs)
    near = row_pairs(duplicate_pairs(used) if pairs is None else pairs)
    identity, published = _codes(used["identity"]), _codes(used["split"])
    names = used["path"].str.replace(r"^.*/", "", regex=True)
    return Groups(
        rows=rows,
        exact=_codes(used["sha256"]),
        near=connected_components(len(used), near),
        identity=identity,
        file_name=np.where(published >= 0, _codes(names), -1),
        published=published,
        group_ids=connected_components(len(used), np.concatenate([near, _to_first(identity)])),
    )


def _in_use(
    index: pd.DataFrame, pairs: pd.DataFrame | None
) -> tuple[NDArray[np.int64], pd.DataFrame, pd.DataFrame | None]:
    """Select the rows that are not excluded: their numbers, their index, and the pairs between them."""
    used = ~excluded_rows(index)
    rows = np.flatnonzero(used)
    if len(rows) == len(index):
        return rows, index, pairs
    if pairs is not None:
        pairs = without_excluded(pairs, index)
        position = np.cumsum(used) - 1
        pairs = pairs.assign(a=position[pairs["a"]], b=position[pairs["b"]])
    return rows, index.iloc[rows], pairs


def _codes(values: pd.Series) -> NDArray[np.int64]:
    """Number the values, -1 where one is missing or empty."""
    codes, uniques = pd.factorize(values)
    return np.where(np.append(uniques == "", False)[codes], -1, codes)


def _to_first(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pair each row with the first row of its group; shape (P, 2)."""
    rows = np.flatnonzero(group >= 0)
    _, first, back = np.unique(group[rows], return_index=True, return_inverse=True)
    return np.stack([rows[first][back], rows], axis=1)
