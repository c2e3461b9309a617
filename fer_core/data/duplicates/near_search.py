"""Find pairs of hashes within a Hamming distance without comparing all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

Pairs = NDArray[np.int64]
"""Row numbers, shape (P, 2), first below second."""

Check = Callable[[NDArray[np.integer]], NDArray[np.bool_]]
"""Returns which pairs of rows, shape (P, 2) in either order, are near-duplicates."""

PAIRS_MAX = 5_000_000
"""More pairs would fill the memory."""

_Rows = NDArray[np.int32]
"""Pairs of rows, shape (P, 2), in either order; half the memory of `Pairs`."""

_EQUAL_BLOCKS = 3
_CHUNK = 2**19


def near_pairs(hashes: NDArray[np.int64], bits_max: int, check: Check | None = None) -> Pairs:
    """Find pairs of rows whose hashes differ in at most `bits_max` bits and that pass the check.

    Hashes are cut into `bits_max + 3` blocks: two that differ in at most `bits_max` bits agree in three blocks or more
    (Manku, Jain and Das Sarma 2007, "Detecting Near-Duplicates for Web Crawling", section 3). So for every three
    blocks the hashes are sorted by them, and only those that agree there are compared.

    Of more than `PAIRS_MAX`, only as many are returned as connect the same groups.

    Args:
        hashes: shape (N,).
        bits_max: 0 to 61. With more bits there are more tables: 20 for 3, 165 for 8.
    Returns:
        in rising order, without repetition.
    """
    values = np.ascontiguousarray(hashes).view(np.uint64)
    check = check or (lambda pairs: np.ones(len(pairs), bool))
    pairs = _find_all_pairs(values, bits_max, check)
    if pairs is None:
        pairs = _find_connecting_pairs(values, bits_max, check)
    keys = np.sort(pairs, axis=1) @ np.array([len(values), 1])
    keys.sort()
    return np.stack(np.divmod(keys, max(len(values), 1)), axis=1)


def connected_components(size: int, edges: NDArray[np.integer]) -> NDArray[np.int64]:
    """Number the connected components of `size` rows; rows connected by a chain of pairs share a number."""
    from scipy.sparse import coo_array, csgraph

    graph = coo_array((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(size, size))
    _, labels = csgraph.connected_components(graph, directed=False)
    return np.asarray(labels, np.int64)


def _find_all_pairs(values: NDArray[np.uint64], bits_max: int, check: Check) -> _Rows | None:
    """All pairs, or None if they are too many."""
    found: list[_Rows] = [np.zeros((0, 2), np.int32)]
    count = 0
    for mask, earlier_blocks in _tables(values, bits_max):
        order = _order(values, mask)
        run = _starts(values[order] & mask)
        for near in _near(values, order, run, np.arange(len(order)), earlier_blocks, bits_max):
            found.append(near[check(near)])
            count += len(found[-1])
            if count > PAIRS_MAX:
                return None
    return np.concatenate(found)


def _find_connecting_pairs(values: NDArray[np.uint64], bits_max: int, check: Check) -> _Rows:
    """Find enough pairs to connect the same groups as all pairs would.

    Rows of one group are not compared again: in each run neighbors are compared first, then one row of each group with
    one of each other group, and then all with all.
    """
    found: list[_Rows] = [np.zeros((0, 2), np.int32)]
    group = np.arange(len(values))

    def connect(near: _Rows) -> None:
        nonlocal group
        new = near[group[near[:, 0]] != group[near[:, 1]]]
        new = new[check(new)]
        if len(new):
            new = new[_spanning(group[new])]
            found.append(new)
            group = connected_components(int(group.max()) + 1, group[new])[group]

    for mask, earlier_blocks in _tables(values, bits_max):
        order = _order(values, mask)
        run = _starts(values[order] & mask)
        neighbors = np.stack([order[:-1], order[1:]], axis=1)
        connect(neighbors[np.bitwise_count(values[order[:-1]] ^ values[order[1:]]) <= bits_max])
        for one_of_each in (True, False):
            order = order[np.argsort((run << 32) | group[order])]
            own = _starts((run << 32) | group[order])  # start of each position's run and group
            if one_of_each:
                heads = np.flatnonzero(own == np.arange(len(own)))
                ranges = order[heads], np.searchsorted(heads, run[heads]), np.arange(len(heads))
            else:
                ranges = order, run, own
            for near in _near(values, *ranges, earlier_blocks, bits_max):
                connect(near)
    return np.concatenate(found)


def _tables(values: NDArray[np.uint64], bits_max: int) -> Iterator[tuple[np.uint64, list[np.uint64]]]:
    """Yield for each three blocks the mask of their bits, and the other blocks before the last of them."""
    blocks = _blocks(values, bits_max + _EQUAL_BLOCKS)
    for chosen in combinations(range(len(blocks)), _EQUAL_BLOCKS):
        earlier_blocks = [blocks[k] for k in range(chosen[-1]) if k not in chosen]
        yield np.bitwise_or.reduce(blocks[list(chosen)]), earlier_blocks


def _blocks(values: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    """Split the bits into `count` blocks, as masks. In faces some bits hardly vary: each block gets a share of those
    that do."""
    bit = np.uint64(1) << np.arange(64, dtype=np.uint64)
    ones_01 = np.array([np.count_nonzero(values & one) for one in bit]) / max(len(values), 1)
    varying_first = np.argsort(np.abs(ones_01 - 0.5), kind="stable")
    return np.array([np.bitwise_or.reduce(bit[varying_first[k::count]]) for k in range(count)])


def _order(values: NDArray[np.uint64], mask: np.uint64) -> NDArray[np.int32]:
    """The rows, sorted by their bits in the mask."""
    return np.argsort(values & mask).astype(np.int32)


def _starts(keys: NDArray[np.integer]) -> NDArray[np.int64]:
    """Where the run of equal keys of each position starts; `keys` are sorted."""
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    return np.repeat(starts, np.diff(starts, append=len(keys)))


def _near(
    values: NDArray[np.uint64],
    order: NDArray[np.int32],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    earlier_blocks: list[np.uint64],
    bits_max: int,
) -> Iterator[_Rows]:
    """Pairs of rows that differ in at most `bits_max` bits and in each of `earlier_blocks`, in batches.

    Args:
        order: rows; each is compared with those at the positions from `first` to before `stop`.
        earlier_blocks: a pair that is equal in one of these was found in an earlier table.
    """
    ordered = values[order]
    total_upto = np.cumsum(stop - first)
    total = int(total_upto[-1]) if len(total_upto) else 0
    cuts = np.unique(np.append(np.searchsorted(total_upto, np.arange(0, total, _CHUNK)), len(order)))
    for start, end in pairwise(cuts):
        counts = (stop - first)[start:end]
        right = np.repeat(np.arange(start, end, dtype=np.int32), counts)
        left = np.repeat(first[start:end] - np.cumsum(counts) + counts, counts) + np.arange(len(right))
        differing = ordered[left] ^ ordered[right]
        near = np.flatnonzero(np.bitwise_count(differing) <= bits_max)
        for block in earlier_blocks:
            near = near[(differing[near] & block) != 0]
        yield order[np.stack([left[near], right[near]], axis=1)]


def _spanning(edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Select pairs that are enough to connect all that the pairs connect.

    Args:
        edges: two different group numbers each, shape (P, 2).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    ordered = np.sort(edges)
    _, first = np.unique(ordered @ np.array([ordered.max() + 1, 1]), return_index=True)
    groups, position = np.unique(ordered[first], return_inverse=True)
    graph = coo_array((first + 1.0, tuple(position.reshape(-1, 2).T)), shape=(len(groups), len(groups)))
    return np.sort(minimum_spanning_tree(graph.tocsr()).data.astype(np.int64) - 1)
