"""Stratified splits that keep groups whole; docs/adr/0013 has why scikit-learn's StratifiedGroupKFold is not used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.data.largest_remainder import largest_remainder

_SWAPS_MAX = 400
_CANDIDATES_MAX = 512
"""Groups that are tried against each other in a swap. With more mixed groups than these, the random assignment is
close to the shares already."""

_GAIN_MIN = 1e-12


def stratified_group_split(
    group: NDArray[np.int64], stratum: NDArray[np.int64], shares_01: Sequence[float], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Assign whole groups of rows to splits so that each split gets its share of each class.

    Groups of several classes are assigned first, those of the rarest class before all others and large before
    small, each to the split that lacks most of the class; groups of one class then fill what is missing. A class
    with at least one group for each split is in every split, where the groups allow it. Last, groups are swapped
    between splits as long as that brings the splits nearer to their shares.

    Args:
        group: group ids, shape (N,).
        stratum: the class of each row, 0 to C - 1, shape (N,).
        shares_01: the share of each split; they sum to 1.
    Returns:
        split numbers, shape (N,).
    """
    if not len(group):
        return np.zeros(0, np.int64)
    _, member = np.unique(group, return_inverse=True)
    classes = int(stratum.max()) + 1
    size = (int(member.max()) + 1) * classes
    counts = np.bincount(member * classes + stratum, minlength=size).reshape(-1, classes)
    assignment = _Assignment.empty(counts[:, counts.sum(0) > 0], np.asarray(shares_01, float))
    assignment.assign(rng)
    assignment.ensure_coverage()
    if assignment.mixed.any():
        assignment.refine(rng)
    return np.asarray(assignment.split[member], np.int64)


@dataclass(slots=True)
class _Assignment:
    """The split of each group, and what each split still needs. The last column of a table by class sums all classes.

    Attributes:
        counts: rows by group and class, shape (G, C + 1).
        has: where `counts` are not 0.
        mixed: groups of several classes, shape (G,).
        common: classes with at least as many groups as there are splits, shape (C + 1,).
        split: the split of each group, -1 until it is assigned, shape (G,).
        need: how many rows of a class a split lacks, negative where it has too many, shape (S, C + 1).
        held: how many groups of a split have the class, shape (S, C + 1).
        shares_01: the share of each split, shape (S,).
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
    def empty(cls, counts: NDArray[np.int64], shares_01: NDArray[np.float64]) -> _Assignment:
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

    def assign(self, rng: np.random.Generator) -> None:
        """Assign every group, greedily."""
        rarest_first = np.argsort(self.has[:, :-1].sum(0), kind="stable")
        for chosen in (self.mixed, ~self.mixed):
            for stratum in rarest_first:
                groups = rng.permutation(np.flatnonzero(chosen & self.has[:, stratum] & (self.split < 0)))
                sizes = self.counts[groups, stratum]
                order = np.argsort(-sizes, kind="stable")
                for block in np.split(groups[order], np.flatnonzero(np.diff(sizes[order])) + 1):
                    if len(block):
                        self._assign_block(block, stratum)

    def _assign_block(self, block: NDArray[np.int64], stratum: int) -> None:
        """Assign groups that have equally many rows of a class, all of them mixed or none."""
        rows = self.counts[block[0], stratum]
        quota = largest_remainder(self.need[:, stratum] / rows, len(block), self.need[:, -1])
        self.split[block] = np.repeat(np.arange(len(quota)), quota)
        if not self.mixed[block[0]]:
            self.need[:, [stratum, -1]] -= (rows * quota)[:, None]
            self.held[:, [stratum, -1]] += quota[:, None]
            return
        for split, groups in enumerate(np.split(block, np.cumsum(quota)[:-1])):
            self.need[split] -= self.counts[groups].sum(0)
            self.held[split] += self.has[groups].sum(0)

    def ensure_coverage(self) -> None:
        """Move a group of each common class, the one that costs least, to every split that has none of the class."""
        for to, stratum in np.argwhere((self.held == 0) & self.common):
            groups = np.flatnonzero(self.has[:, stratum])
            groups = groups[~self._locked(groups)]
            if self.held[to, stratum] or not len(groups):
                continue
            weight = 1 / (self.counts.sum(0) ** 2)
            before, after = self.need[self.split[groups]], self.need[to]
            rows = self.counts[groups]
            cost = ((before + rows) ** 2 - before**2 + (after - rows) ** 2 - after**2) @ weight
            self._move(int(groups[cost.argmin()]), int(to))

    def refine(self, rng: np.random.Generator) -> None:
        """Swap two groups, or move one, while that lowers the sum over splits and classes, and over all classes
        together, of (rows too many / rows of the class)² / share of the split."""
        shuffled = rng.permutation(len(self.counts))
        groups = shuffled[np.argsort(~self.mixed[shuffled], kind="stable")][:_CANDIDATES_MAX]
        totals = self.counts.sum(0)
        empty = np.zeros((len(self.shares_01), len(totals)))  # an empty group in each split: a move is a swap with it
        rows = np.concatenate([self.counts[groups] / totals, empty])
        square = (rows**2).sum(1)
        distance = square[:, None] + square - 2 * rows @ rows.T
        for _ in range(_SWAPS_MAX):
            excess = -self.need / totals
            split = np.concatenate([self.split[groups], np.arange(len(empty))])
            weight = 1 / self.shares_01
            pull = rows @ (excess * weight[:, None]).T
            own, other = np.take_along_axis(pull, split[:, None], 1), pull[:, split]
            change = (weight[split][:, None] + weight[split]) * distance + 2 * (other + other.T - own - own.T)
            locked = np.concatenate([self._locked(groups), np.zeros(len(empty), bool)])
            change[locked] = change[:, locked] = 0
            first, second = divmod(int(change.argmin()), len(split))
            if change[first, second] > -_GAIN_MIN:
                return
            for source, target in ((first, second), (second, first)):
                if source < len(groups):
                    self._move(int(groups[source]), int(split[target]))

    def _locked(self, groups: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which groups are the only one of their split with a common class."""
        only = (self.held == 1) & self.common
        return np.asarray((only[self.split[groups]] & self.has[groups]).any(1), np.bool_)

    def _move(self, group: int, to: int) -> None:
        for split, sign in ((self.split[group], 1), (to, -1)):
            self.need[split] += sign * self.counts[group]
            self.held[split] -= sign * self.has[group]
        self.split[group] = to
