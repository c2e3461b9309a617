"""Images that are the same, or nearly: found without comparing all pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NEAR_BITS = 3
"""Perceptual hashes that differ in at most this many of their 64 bits are near-duplicates."""

_BANDS = NEAR_BITS + 1
_BAND_BITS = 64 // _BANDS
_BUCKET_MAX = 2000


def near_pairs(hashes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of rows whose hashes differ in at most `NEAR_BITS` bits.

    Hashes cut into four bands of 16 bits: two that differ in at most three bits agree in at least one whole
    band (pigeonhole), so only rows that share a band are compared. A band value shared by more than
    `_BUCKET_MAX` rows says nothing about likeness and only neighbours in sorted order are compared there.

    Args:
        hashes: shape (N,).
    Returns:
        row numbers, shape (P, 2), first below second, without repetition.
    """
    found = [np.zeros((0, 2), np.int64)]
    for band in range(_BANDS):
        values = (hashes.view(np.uint64) >> np.uint64(band * _BAND_BITS)) & np.uint64(2**_BAND_BITS - 1)
        order = np.lexsort((hashes, values))
        starts = np.flatnonzero(np.diff(values[order])) + 1
        buckets = np.split(order, starts)
        found.extend(_near_in_bucket(hashes, bucket) for bucket in buckets if len(bucket) > 1)
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def groups(index: pd.DataFrame) -> NDArray[np.int64]:
    """A group number for each row: rows with the same pixels, nearly the same, or of the same identity share one.

    Args:
        index: with the columns `sha256`, `phash`, `identity` and `problem`.
    Returns:
        integers, shape (N,).
    """
    readable = np.flatnonzero((index["sha256"] != "").to_numpy())
    near = readable[near_pairs(index["phash"].to_numpy(np.int64)[readable])]
    same = [_same_value_pairs(index[column]) for column in ("sha256", "identity")]
    return _components(len(index), np.concatenate([near, *same]))


def _near_in_bucket(hashes: NDArray[np.int64], bucket: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(bucket) > _BUCKET_MAX:
        first, second = bucket[:-1], bucket[1:]
    else:
        upper, lower = np.triu_indices(len(bucket), 1)
        first, second = bucket[upper], bucket[lower]
    near = np.bitwise_count((hashes[first] ^ hashes[second]).view(np.uint64)) <= NEAR_BITS
    return np.stack([first[near], second[near]], axis=1)


def _same_value_pairs(values: pd.Series) -> NDArray[np.int64]:
    """Each row with the first row that has the same value; missing and empty values pair with nothing."""
    known = values.notna() & (values != "").fillna(False)
    codes = np.full(len(values), -1, np.int64)
    codes[known.to_numpy()] = pd.factorize(values[known])[0]
    rows = np.flatnonzero(codes >= 0)
    _, first = np.unique(codes[rows], return_index=True)
    partner = rows[first][codes[rows]]
    return np.stack([partner, rows], axis=1)[partner != rows]


def _components(size: int, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Connected components of rows joined by pairs."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels, np.int64)
