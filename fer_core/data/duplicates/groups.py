"""What belongs together in a dataset, whoever trains and judges: found once, it serves every split."""

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
    """Group numbers of the images in use, each of shape (U,); below 0 is no group.

    Attributes:
        rows: the row numbers of the images that the overlay does not exclude, rising.
        pixels: images with the same pixels share a number.
        alike: near-duplicates do, with the near-duplicates of their near-duplicates.
        identity: images of one person do.
        name: files of one name do, wherever they lie; only where a split was published.
        published: the part that each was published in.
        joined: what may not be parted: groups of `alike` and `identity`, joined.
    """

    rows: NDArray[np.int64]
    pixels: NDArray[np.int64]
    alike: NDArray[np.int64]
    identity: NDArray[np.int64]
    name: NDArray[np.int64]
    published: NDArray[np.int64]
    joined: NDArray[np.int64]


def find_groups(index: pd.DataFrame, pairs: pd.DataFrame | None = None) -> Groups:
    """Find what joins the images of an index.

    Args:
        index: with `path`, `split` and `identity`, the columns of `duplicates.PAIR_COLUMNS` and, where an overlay was
            applied, `excluded`.
        pairs: what `duplicate_pairs` found in this index before; searched for when None.
    """
    rows, kept, pairs = _in_use(index, pairs)
    linked = row_pairs(duplicate_pairs(kept) if pairs is None else pairs)
    identity, published = _codes(kept["identity"]), _codes(kept["split"])
    names = kept["path"].str.replace(r"^.*/", "", regex=True)
    return Groups(
        rows=rows,
        pixels=_codes(kept["sha256"]),
        alike=connected_components(len(kept), linked),
        identity=identity,
        name=np.where(published >= 0, _codes(names), -1),
        published=published,
        joined=connected_components(len(kept), np.concatenate([linked, _to_first(identity)])),
    )


def _in_use(
    index: pd.DataFrame, pairs: pd.DataFrame | None
) -> tuple[NDArray[np.int64], pd.DataFrame, pd.DataFrame | None]:
    """The rows that the overlay does not exclude: their numbers, their part of the index, the pairs between them."""
    kept = ~excluded_rows(index)
    rows = np.flatnonzero(kept)
    if len(rows) == len(index):
        return rows, index, pairs
    if pairs is not None:
        pairs = without_excluded(pairs, index)
        place = np.cumsum(kept) - 1
        pairs = pairs.assign(a=place[pairs["a"]], b=place[pairs["b"]])
    return rows, index.iloc[rows], pairs


def _codes(values: pd.Series) -> NDArray[np.int64]:
    """A number for each value, -1 where it is missing or empty."""
    codes, found = pd.factorize(values)
    return np.where(np.append(found == "", False)[codes], -1, codes)


def _to_first(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each row with the first row of its group; shape (P, 2)."""
    rows = np.flatnonzero(group >= 0)
    _, first, back = np.unique(group[rows], return_index=True, return_inverse=True)
    return np.stack([rows[first][back], rows], axis=1)
