"""Whole groups of rows dealt to parts so that every part gets its share of every class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SWAPS_MAX = 400
_CANDIDATES_MAX = 512
"""Groups that are tried against each other in a swap. With more mixed groups than these, what chance leaves
uneven is small already."""

_GAIN_MIN = 1e-12


def deal(
    group: NDArray[np.int64],
    stratum: NDArray[np.int64],
    shares_01: Sequence[float],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """The part of each row; rows of one group are never parted.

    Groups of several classes are dealt first, those of the rarest class before all others and large before
    small, each to the part that lacks most of the class; groups of one class then fill what is missing. A class
    with a group for each part is missing from none, where the groups allow it. Last, groups are swapped between
    parts as long as that brings the parts nearer to their shares.

    Args:
        group: shape (N,).
        stratum: the class of each row, 0 to C - 1, shape (N,).
        shares_01: the share of each part; they sum to 1.
    Returns:
        part numbers, shape (N,).
    """
    if not len(group):
        return np.zeros(0, np.int64)
    _, member = np.unique(group, return_inverse=True)
    classes = int(stratum.max()) + 1
    size = (int(member.max()) + 1) * classes
    counts = np.bincount(member * classes + stratum, minlength=size).reshape(-1, classes)
    table = _Table.fresh(counts[:, counts.sum(0) > 0], np.asarray(shares_01, float))
    table.deal(rng)
    table.cover()
    if table.mixed.any():
        table.polish(rng)
    return np.asarray(table.split[member], np.int64)


@dataclass(slots=True)
class _Table:
    """The groups on the table, and what the parts still need. All that is by class has one more column, for any class.

    `counts` are rows a group and class, shape (G, C + 1); `has` says where they are not 0; `mixed` groups have
    several classes. `split` is -1 until a group is dealt. `need` is what a part lacks of a class (below 0: has too
    much) and `held` is how many of the part's groups have the class, both of shape (P, C + 1). `common` classes
    have a group for each part.
    """

    counts: NDArray[np.int64]
    has: NDArray[np.bool_]
    mixed: NDArray[np.bool_]
    common: NDArray[np.bool_]
    split: NDArray[np.int64]
    need: NDArray[np.float64]
    held: NDArray[np.int64]
    shares_01: NDArray[np.float64]

    @classmethod
    def fresh(cls, counts: NDArray[np.int64], shares_01: NDArray[np.float64]) -> _Table:
        counts = np.column_stack([counts, counts.sum(1)])
        has = counts > 0
        need = np.outer(shares_01, counts.sum(0))
        return cls(
            counts=counts,
            has=has,
            mixed=has[:, :-1].sum(1) > 1,
            common=has.sum(0) >= len(shares_01),
            split=np.full(len(counts), -1, np.int64),
            need=need,
            held=np.zeros(need.shape, np.int64),
            shares_01=shares_01,
        )

    def deal(self, rng: np.random.Generator) -> None:
        rarest_first = np.argsort(self.has[:, :-1].sum(0), kind="stable")
        for chosen in (self.mixed, ~self.mixed):
            for stratum in rarest_first:
                groups = rng.permutation(np.flatnonzero(chosen & self.has[:, stratum] & (self.split < 0)))
                sizes = self.counts[groups, stratum]
                order = np.argsort(-sizes, kind="stable")
                for block in np.split(groups[order], np.flatnonzero(np.diff(sizes[order])) + 1):
                    if len(block):
                        self._deal_block(block, stratum)

    def _deal_block(self, block: NDArray[np.int64], stratum: int) -> None:
        """Deal groups that have equally many rows of a class, all of them mixed or none."""
        each = self.counts[block[0], stratum]
        quota = quotas(self.need[:, stratum] / each, len(block), self.need[:, -1])
        self.split[block] = np.repeat(np.arange(len(quota)), quota)
        if not self.mixed[block[0]]:
            self.need[:, [stratum, -1]] -= (each * quota)[:, None]
            self.held[:, [stratum, -1]] += quota[:, None]
            return
        for split, some in enumerate(np.split(block, np.cumsum(quota)[:-1])):
            self.need[split] -= self.counts[some].sum(0)
            self.held[split] += self.has[some].sum(0)

    def cover(self) -> None:
        """Bring a common class, or any row at all, to each part that has none, by moving the group that costs least."""
        for to, stratum in np.argwhere((self.held == 0) & self.common):
            carriers = np.flatnonzero(self.has[:, stratum])
            carriers = carriers[~self._locked(carriers)]
            if self.held[to, stratum] or not len(carriers):
                continue
            weight = 1 / (self.counts.sum(0) ** 2)
            before, after = self.need[self.split[carriers]], self.need[to]
            rows = self.counts[carriers]
            cost = ((before + rows) ** 2 - before**2 + (after - rows) ** 2 - after**2) @ weight
            self._move(int(carriers[cost.argmin()]), int(to))

    def polish(self, rng: np.random.Generator) -> None:
        """Swap two groups, or move one, while that lowers the sum over parts and classes, and any class, of
        (rows too many / rows of the class)² / share of the part."""
        shuffled = rng.permutation(len(self.counts))
        groups = shuffled[np.argsort(~self.mixed[shuffled], kind="stable")][:_CANDIDATES_MAX]
        totals = self.counts.sum(0)
        empty = np.zeros((len(self.shares_01), len(totals)))  # a group of no rows in each part: a move is a swap too
        rows = np.concatenate([self.counts[groups] / totals, empty])
        square = (rows**2).sum(1)
        apart = square[:, None] + square - 2 * rows @ rows.T
        for _ in range(_SWAPS_MAX):
            excess = -self.need / totals
            split = np.concatenate([self.split[groups], np.arange(len(empty))])
            weight = 1 / self.shares_01
            pull = rows @ (excess * weight[:, None]).T
            own, other = np.take_along_axis(pull, split[:, None], 1), pull[:, split]
            change = (weight[split][:, None] + weight[split]) * apart + 2 * (other + other.T - own - own.T)
            locked = np.concatenate([self._locked(groups), np.zeros(len(empty), bool)])
            change[locked] = change[:, locked] = 0
            first, second = divmod(int(change.argmin()), len(split))
            if change[first, second] > -_GAIN_MIN:
                return
            for here, there in ((first, second), (second, first)):
                if here < len(groups):
                    self._move(int(groups[here]), int(split[there]))

    def _locked(self, groups: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Groups that are their part's only one of a common class."""
        only = (self.held == 1) & self.common
        return np.asarray((only[self.split[groups]] & self.has[groups]).any(1), np.bool_)

    def _move(self, group: int, to: int) -> None:
        for split, sign in ((self.split[group], 1), (to, -1)):
            self.need[split] += sign * self.counts[group]
            self.held[split] -= sign * self.has[group]
        self.split[group] = to


def quotas(wanted: NDArray[np.float64], n: int, tie: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many of `n` equal things each part gets when each thing goes to the part that then lacks most.

    Args:
        wanted: what each part lacks, in things; may be below 0.
        tie: of parts that lack the same, the one with more of this comes first.
    Returns:
        integers of the same shape that sum to `n`.
    """
    falling = np.sort(wanted)[::-1]
    levels = (np.cumsum(falling) - n) / np.arange(1, len(wanted) + 1)  # if only the first k parts got any
    level = levels[np.flatnonzero(falling > levels)[-1]]
    given = np.floor(np.maximum(wanted - level, 0)).astype(np.int64)
    left = n - int(given.sum())
    given[np.lexsort((tie, wanted - given))[::-1][:left]] += 1
    return given
