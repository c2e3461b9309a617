"""Leakage: the same picture, or the same person, in two splits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.groups import Groups
from fer_core.data.imbalance.counts import category_codes
from fer_core.data.record import Split
from fer_core.text import join_words


class Cause(StrEnum):
    """What two images in different splits share."""

    EXACT = "exact_duplicates"
    NEAR = "near_duplicates"
    IDENTITY = "identities"
    NAME = "name_across_splits"


_DESCRIPTIONS: dict[Cause, tuple[str, str]] = {
    Cause.EXACT: ("with an exact duplicate in {other}", "with exact duplicates in {other}"),
    Cause.NEAR: ("with a near-duplicate in {other}", "with near-duplicates in {other}"),
    Cause.IDENTITY: ("of a person who is also in {other}", "of people who are also in {other}"),
}
"""The causes for one image and for several. A shared name is only a hint and has a sentence of its own."""


@dataclass(frozen=True, slots=True)
class Leak:
    """The leakage of one cause.

    Attributes:
        groups: how many groups have images in more than one split.
        rows: row numbers in the index of the images in these groups.
        training: how many training images have a validation or test image in their group.
        validation: how many validation images have a test image in their group.
    """

    groups: int
    rows: NDArray[np.int64]
    training: int
    validation: int


@dataclass(frozen=True, slots=True)
class Leakage:
    """The leakage between splits by cause. `unchecked` are causes that the index has no data for."""

    leaks: dict[Cause, Leak]
    unchecked: tuple[Cause, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing leaks, as far as could be checked. Equal file names alone are no leak."""
        return not any(leak.groups for cause, leak in self.leaks.items() if cause is not Cause.NAME)

    def describe(self, subject: str = "This split") -> str:
        """Describe the leakage, and what could not be checked, in sentences that begin with `subject`."""
        found = []
        for split, other in (("training", "validation or test"), ("validation", "test")):
            for cause, (one, many) in _DESCRIPTIONS.items():
                leak = self.leaks.get(cause)
                count = getattr(leak, split) if leak else 0
                if count:
                    noun, description = ("image", one) if count == 1 else ("images", many)
                    found.append(f"{count:,} {split} {noun} {description.format(other=other)}")
        nothing = "no near-duplicate" if Cause.IDENTITY in self.unchecked else "no near-duplicate and no person"
        sentences = [f"{subject} has {join_words(found) or f'{nothing} in two splits'}."]
        name = self.leaks.get(Cause.NAME)
        if name and name.groups:
            occur = "file name occurs" if name.groups == 1 else "file names occur"
            sentences.append(f"{name.groups:,} {occur} in two splits, which is only a hint.")
        if Cause.IDENTITY in self.unchecked:
            sentences.append("The dataset does not say who is shown, so the same person may be in two splits.")
        return " ".join(sentences)


def find_leakage(groups: Groups, splits: pd.Series) -> Leakage:
    """Find the leakage between train, valid and test, in a published split or in one that `make_split` made.

    Near-duplicates of near-duplicates count too, as when a split is made.

    Args:
        groups: of the images that corrections do not exclude.
        splits: the split of each row of the index; other values than train, valid and test are ignored.
    """
    split = category_codes(splits.iloc[groups.rows], tuple(map(str, Split)))
    found = {
        Cause.EXACT: _find_leak(groups.rows, groups.exact, split),
        Cause.NEAR: _find_leak(groups.rows, groups.near, split, differing_in=groups.exact),
        Cause.IDENTITY: _find_leak(groups.rows, groups.identity, split),
        Cause.NAME: _find_leak(groups.rows, groups.file_name, split, differing_in=groups.published),
    }
    known = {Cause.IDENTITY: (groups.identity >= 0).any(), Cause.NAME: (groups.published >= 0).any()}
    unchecked = tuple(cause for cause in found if not known.get(cause, True))
    return Leakage({cause: leak for cause, leak in found.items() if cause not in unchecked}, unchecked)


def _find_leak(
    rows: NDArray[np.int64],
    group: NDArray[np.int64],
    split: NDArray[np.int64],
    differing_in: NDArray[np.int64] | None = None,
) -> Leak:
    """Find groups that span splits; numbers below 0 are no group and no split. See `_has_mate` for `differing_in`."""
    used = np.flatnonzero((group >= 0) & (split >= 0))
    used = used[np.bincount(group[used], minlength=1)[group[used]] > 1]
    differing_in = split if differing_in is None else differing_in
    group, split, differing_in = group[used], split[used], differing_in[used]
    leaks = _has_mate(group, split, differing_in)
    held_out = split > 0
    has_test_mate = _has_mate(group[held_out], split[held_out], differing_in[held_out])
    return Leak(
        groups=len(np.unique(group[leaks])),
        rows=rows[used[leaks]],
        training=int((leaks & ~held_out).sum()),
        validation=int((has_test_mate & (split[held_out] == 1)).sum()),
    )


def _has_mate(group: NDArray[np.int64], split: NDArray[np.int64], differing_in: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the group of each row has a row of another split that also differs in `differing_in`."""
    value = differing_in + 1  # a missing one is a value of its own
    splits, values = int(split.max(initial=0)) + 1, int(value.max(initial=0)) + 1
    cell, cells = pd.factorize((group * splits + split) * values + value)
    cell_split = cells // values
    cell_group = cell_split // splits
    whole, same_split, same_value = map(_group_sizes, (cell_group, cell_split, cell_group * values + cells % values))
    differing = whole - same_split - same_value + 1  # the cell itself was subtracted twice
    return np.asarray(differing[cell] > 0, np.bool_)


def _group_sizes(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count how often each key occurs; shaped like `keys`."""
    codes = pd.factorize(keys)[0]
    return np.bincount(codes, minlength=1)[codes]
