"""Images that are the same, or nearly: every pair is found, but not by comparing all, and a million hold.

A pair names two rows of an index. Where many images are the same, each is paired with the first of them only:
m images give m - 1 pairs instead of m²/2, and joined by their pairs they are one group all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.counts import excluded_rows

NEAR_BITS = 3
"""Perceptual hashes that differ in at most this many of their 64 bits are near-duplicates.

Our hash has as many ones as zeros unless two frequencies are equal, so that two of them differ in an even number
of bits: in practice this means 0 or 2.
"""

BLANK_CONTRAST = 4.0
"""Below this standard deviation of the gray levels (0..255) an image is blank and its hash is noise. A plain wall
as a JPEG file stays under 2; the faintest face of FER+ has 9."""

EXACT, NEAR = "exact", "near"
"""The kinds of pairs: the same pixels, or hashes within `NEAR_BITS` of other pixels."""

_AGREE = 3
_CHUNK = 2_000_000
_PAIRS_MAX = 10_000_000

Pairs = NDArray[np.int64]
"""Row numbers, shape (P, 2), first below second."""

_Places = NDArray[np.int32]
"""Places in the sorted different hashes, shape (P, 2), in either order; half the memory of row numbers."""


def duplicate_pairs(index: pd.DataFrame) -> pd.DataFrame:
    """Every pair of images with the same pixels or nearly.

    Blank images are near to nothing, and images that could not be read are like nothing. Of several images with
    the same pixels only the first takes part in the search for near ones.

    Args:
        index: with `sha256`, `phash` and, where it was measured, `contrast`.
    Returns:
        a row a pair, in the order of `a`, `b` (row numbers of the index, a < b), `bits` (0 to `NEAR_BITS`: how many
        bits their hashes differ in) and `kind` (`EXACT` or `NEAR`).
    """
    exact = _same_value_pairs(index["sha256"])
    first = np.ones(len(index), bool)
    first[exact[:, 1]] = False
    searched = np.flatnonzero(first & (index["sha256"] != "").to_numpy(bool) & ~is_blank(index))
    hashes = index["phash"].to_numpy(np.int64)
    near = searched[near_pairs(hashes[searched])]
    pairs = np.concatenate([exact, near])
    kind = pd.array(np.repeat([EXACT, NEAR], [len(exact), len(near)]), dtype="str")
    columns = {"a": pairs[:, 0], "b": pairs[:, 1], "bits": distances(index, pairs), "kind": kind}
    return pd.DataFrame(columns).sort_values(["a", "b"], ignore_index=True)


def groups(index: pd.DataFrame, pairs: pd.DataFrame | None = None) -> NDArray[np.int64]:
    """A group number for each row: rows with the same pixels, nearly the same, or of the same identity share one.

    Args:
        index: with the columns `sha256`, `phash` and `identity`.
        pairs: what `duplicate_pairs` found in this index before; searched for when None.
    Returns:
        integers, shape (N,).
    """
    if pairs is None:
        pairs = duplicate_pairs(index)
    return components(len(index), np.concatenate([edges(pairs), _same_value_pairs(index["identity"])]))


def without_excluded(pairs: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """The pairs between images that the overlay does not exclude.

    An image that many were paired with may be excluded: another with the same pixels, or the same hash, then takes
    its place, so that those that are left are not parted.

    Args:
        pairs: as `duplicate_pairs` found them in this index.
        index: with `sha256`, `phash` and, where an overlay was applied, `excluded`.
    """
    excluded = excluded_rows(index)
    ends = edges(pairs)
    torn = excluded[ends].any(axis=1)
    if not torn.any():
        return pairs
    rows = np.unique(ends[torn])
    member = index[["sha256", "phash"]].iloc[rows]
    used = pd.Series(rows).where(~excluded[rows])
    pixels, hashes = (used.groupby(member[name].to_numpy()).transform("min") for name in ("sha256", "phash"))
    stand_in = used.fillna(pixels).fillna(hashes).fillna(-1).to_numpy(np.int64)
    mended = np.sort(stand_in[np.searchsorted(rows, ends[torn])], axis=1)
    sound = (mended[:, 0] >= 0) & (mended[:, 0] != mended[:, 1])
    found = pairs[torn][sound].assign(a=mended[sound, 0], b=mended[sound, 1]).drop_duplicates(["a", "b"])
    return pd.concat([pairs[~torn], found]).sort_values(["a", "b"], ignore_index=True)


def near_pairs(hashes: NDArray[np.int64], bits_max: int = NEAR_BITS) -> Pairs:
    """Pairs of rows whose hashes differ in at most `bits_max` bits: each near pair of different hashes (in the
    rows that have them first), and each further row of a hash with the first of it.

    Hashes cut into `bits_max + 3` blocks: two that differ in at most `bits_max` bits agree in three blocks or more
    (Manku, Jain and Das Sarma 2007, "Detecting Near-Duplicates for Web Crawling", section 3). So for every three
    blocks the hashes are sorted by them, and only those that agree there are compared.

    More than ten million pairs would fill the memory and be looked at by nobody. Beyond that only the nearest that
    hold their groups together are kept (a minimum spanning forest), so that joined by pairs the groups stay right.

    Args:
        hashes: shape (N,).
        bits_max: 0 to 61. With more bits there are more tables: 20 for 3, 165 for 8.
    Returns:
        in rising order, without repetition.
    """
    values, first, place = np.unique(
        np.ascontiguousarray(hashes).view(np.uint64), return_index=True, return_inverse=True
    )
    rows = np.arange(len(hashes))
    same = np.stack([first[place], rows], axis=1)[first[place] != rows]
    near = np.sort(first[_near_values(values, bits_max)], axis=1)
    keys = np.concatenate([same, near]) @ np.array([len(hashes), 1])
    keys.sort()
    return np.stack(np.divmod(keys, max(len(hashes), 1)), axis=1)


def is_blank(index: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows whose image was read but shows nothing."""
    if "contrast" not in index:
        return np.zeros(len(index), bool)
    return index["contrast"].to_numpy(float) < BLANK_CONTRAST


def edges(pairs: pd.DataFrame) -> Pairs:
    """The row numbers of a table of pairs."""
    return pairs[["a", "b"]].to_numpy(np.int64)


def distances(index: pd.DataFrame, pairs: Pairs) -> NDArray[np.int64]:
    """How many bits of their perceptual hashes differ in each pair; shape (P,)."""
    hashes = index["phash"].to_numpy(np.int64)
    return np.bitwise_count((hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]).view(np.uint64)).astype(np.int64)


def components(size: int, joined: Pairs) -> NDArray[np.int64]:
    """A group number for each of `size` rows; rows joined by a chain of pairs share one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(joined), np.int8), (joined[:, 0], joined[:, 1])), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels, np.int64)


def _same_value_pairs(values: pd.Series) -> Pairs:
    """Each row with the first row that has the same value; missing and empty values pair with nothing."""
    known = values.notna() & (values != "").fillna(False)
    rows = np.flatnonzero(known.to_numpy(bool))
    codes = pd.factorize(values.iloc[rows])[0]
    first = rows[np.unique(codes, return_index=True)[1]][codes]
    return np.stack([first, rows], axis=1)[first != rows]


def _near_values(values: NDArray[np.uint64], bits_max: int) -> _Places:
    """Pairs of places in `values`, which are all different, with at most `bits_max` bits between them."""
    found: list[_Places] = [np.zeros((0, 2), np.int32)]
    blocks = _blocks(values, bits_max + _AGREE)
    for chosen in combinations(range(len(blocks)), _AGREE):
        passed = [blocks[k] for k in range(chosen[-1]) if k not in chosen]
        key = values & np.bitwise_or.reduce(blocks[list(chosen)])
        order = np.argsort(key).astype(np.int32)
        ordered = values[order]
        for left, right in _within_runs(key[order]):
            differing = ordered[left] ^ ordered[right]
            near = np.flatnonzero(np.bitwise_count(differing) <= bits_max)
            for block in passed:  # a pair that agrees in an earlier block was found in an earlier table
                near = near[(differing[near] & block) != 0]
            found.append(order[np.stack([left[near], right[near]], axis=1)])
            if sum(map(len, found)) > _PAIRS_MAX:
                found = [_spanning(np.concatenate(found), values)]
    return np.concatenate(found)


def _blocks(values: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    """Masks of `count` blocks of bits. Faces are alike, so some bits are nearly always the same: each block gets
    its share of those that vary."""
    bit = np.uint64(1) << np.arange(64, dtype=np.uint64)
    ones_01 = np.array([np.count_nonzero(values & one) for one in bit]) / max(len(values), 1)
    varying_first = np.argsort(np.abs(ones_01 - 0.5), kind="stable")
    return np.array([np.bitwise_or.reduce(bit[varying_first[k::count]]) for k in range(count)])


def _within_runs(keys: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Every two places of the same key, about `_CHUNK` at a time.

    Args:
        keys: sorted.
    """
    ends = np.append(np.flatnonzero(keys[1:] != keys[:-1]) + 1, len(keys))
    partners = np.repeat(ends, np.diff(ends, prepend=0)) - np.arange(len(keys)) - 1
    places = np.flatnonzero(partners)
    partners = partners[places]
    upto = np.cumsum(partners)
    total = int(upto[-1]) if len(upto) else 0
    cuts = np.unique(np.append(np.searchsorted(upto, np.arange(0, total, _CHUNK)), len(places)))
    for start, stop in pairwise(cuts):
        some = partners[start:stop]
        left = np.repeat(places[start:stop], some)
        step = np.arange(len(left)) - np.repeat(np.cumsum(some) - some, some)
        yield left, left + 1 + step


def _spanning(pairs: _Places, values: NDArray[np.uint64]) -> _Places:
    """The nearest pairs that still join all that `pairs` join."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    bits = np.bitwise_count(values[pairs[:, 0]] ^ values[pairs[:, 1]])
    graph = coo_array((bits, (pairs[:, 0], pairs[:, 1])), shape=(len(values), len(values)))
    return np.stack(minimum_spanning_tree(graph.tocsr()).nonzero(), axis=1).astype(np.int32)
