"""What a split lets through: images that belong together and yet lie in two of its parts."""

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
    """Why images in two parts belong together."""

    EXACT = "exact_duplicates"
    NEAR = "near_duplicates"
    IDENTITY = "identities"
    NAME = "name_across_splits"


_SAID: dict[Cause, tuple[str, str]] = {
    Cause.EXACT: ("that is the same as a {judged} one", "that are the same as {judged} ones"),
    Cause.NEAR: ("that is a near-duplicate of a {judged} one", "that are near-duplicates of {judged} ones"),
    Cause.IDENTITY: ("of a person who is {judged} too", "of people who are {judged} too"),
}
"""What is said of one image and of several; the name is only a hint and is said apart."""


@dataclass(frozen=True, slots=True)
class Leak:
    """What one cause joins across train, valid and test.

    `groups` span more than one part and `rows` are their row numbers in the index. `training` counts the
    training images among them (a validation or test image is in their group), `validation` the validation images
    whose group has a test image.
    """

    groups: int
    rows: NDArray[np.int64]
    training: int
    validation: int


@dataclass(frozen=True, slots=True)
class Leakage:
    """What leaks between the parts of a split, by cause; `unchecked` are the causes that the index can't show."""

    leaks: dict[Cause, Leak]
    unchecked: tuple[Cause, ...]

    @property
    def clean(self) -> bool:
        """Nothing leaks as far as could be checked; equal file names alone are no leak."""
        return not any(leak.groups for cause, leak in self.leaks.items() if cause is not Cause.NAME)

    def in_words(self, subject: str = "This split") -> str:
        """What was found, and what could not be checked, in sentences; they begin with `subject`."""
        found = []
        for split, judged in (("training", "judged"), ("validation", "tested")):
            for cause, (one, many) in _SAID.items():
                leak = self.leaks.get(cause)
                count = getattr(leak, split) if leak else 0
                if count:
                    plural = "image" if count == 1 else "images"
                    said = (one if count == 1 else many).format(judged=judged)
                    found.append(f"{count:,} {split} {plural} {said}")
        nothing = "no near-duplicate" if Cause.IDENTITY in self.unchecked else "no near-duplicate and no person"
        sentences = [f"{subject} has {join_words(found) or f'{nothing} in two parts'}."]
        name = self.leaks.get(Cause.NAME)
        if name and name.groups:
            occur = "file name occurs" if name.groups == 1 else "file names occur"
            sentences.append(f"{name.groups:,} {occur} in two parts, which is only a hint.")
        if Cause.IDENTITY in self.unchecked:
            sentences.append("No identities are given, so nobody knows whether one person is in two parts.")
        return " ".join(sentences)


def find_leakage(ties: Groups, splits: pd.Series) -> Leakage:
    """What joins train, valid and test, in a published split as it is or in one that `make_split` made.

    Near-duplicates are taken with the near-duplicates of their near-duplicates, as they are when a split is made.

    Args:
        ties: what belongs together; images that the overlay excludes are passed over.
        splits: a string a row of the index; what is neither train, valid nor test is not used and leaks nothing.
    """
    split = category_codes(splits.iloc[ties.rows], tuple(map(str, Split)))
    found = {
        Cause.EXACT: _leak(ties.rows, ties.pixels, split),
        Cause.NEAR: _leak(ties.rows, ties.alike, split, apart=ties.pixels),
        Cause.IDENTITY: _leak(ties.rows, ties.identity, split),
        Cause.NAME: _leak(ties.rows, ties.name, split, apart=ties.published),
    }
    known = {Cause.IDENTITY: (ties.identity >= 0).any(), Cause.NAME: (ties.published >= 0).any()}
    unchecked = tuple(cause for cause in found if not known.get(cause, True))
    return Leakage({cause: leak for cause, leak in found.items() if cause not in unchecked}, unchecked)


def _leak(
    rows: NDArray[np.int64], group: NDArray[np.int64], split: NDArray[np.int64], apart: NDArray[np.int64] | None = None
) -> Leak:
    """What groups join across parts; numbers below 0 are no group and no part. See `_joined` for `apart`."""
    used = np.flatnonzero((group >= 0) & (split >= 0))
    used = used[np.bincount(group[used], minlength=1)[group[used]] > 1]
    group, split, apart = (values[used] for values in (group, split, split if apart is None else apart))
    joined = _joined(group, split, apart)
    judged = split > 0
    return Leak(
        groups=len(np.unique(group[joined])),
        rows=rows[used[joined]],
        training=int((joined & ~judged).sum()),
        validation=int((_joined(group[judged], split[judged], apart[judged]) & (split[judged] == 1)).sum()),
    )


def _joined(group: NDArray[np.int64], split: NDArray[np.int64], apart: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Rows whose group has a row of another part that also differs in `apart`."""
    apart = apart + 1  # a missing one is a value of its own
    splits, values = int(split.max(initial=0)) + 1, int(apart.max(initial=0)) + 1
    cell, cells = pd.factorize((group * splits + split) * values + apart)
    in_part = cells // values
    in_group = in_part // splits
    whole, same_part, same_apart = map(_sizes, (in_group, in_part, in_group * values + cells % values))
    differing = whole - same_part - same_apart + 1  # the cell itself was taken away twice
    return np.asarray(differing[cell] > 0, np.bool_)


def _sizes(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each key occurs; shaped like `keys`."""
    codes = pd.factorize(keys)[0]
    return np.bincount(codes, minlength=1)[codes]
