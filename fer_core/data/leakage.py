"""What a split lets through: images that belong together and yet lie in two of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.counts import excluded_rows, places_of
from fer_core.data.duplicates import groups, without_excluded
from fer_core.data.record import Split


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
        for part, judged in (("training", "judged"), ("validation", "tested")):
            for cause, (one, many) in _SAID.items():
                leak = self.leaks.get(cause)
                count = getattr(leak, part) if leak else 0
                if count:
                    plural = "image" if count == 1 else "images"
                    said = (one if count == 1 else many).format(judged=judged)
                    found.append(f"{count:,} {part} {plural} {said}")
        listed = " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]]))
        nothing = "no near-duplicate" if Cause.IDENTITY in self.unchecked else "no near-duplicate and no person"
        sentences = [f"{subject} has {listed or f'{nothing} in two parts'}."]
        name = self.leaks.get(Cause.NAME)
        if name and name.groups:
            occur = "file name occurs" if name.groups == 1 else "file names occur"
            sentences.append(f"{name.groups:,} {occur} in two parts, which is only a hint.")
        if Cause.IDENTITY in self.unchecked:
            sentences.append("No identities are given, so nobody knows whether one person is in two parts.")
        return " ".join(sentences)


def leakage(index: pd.DataFrame, parts: pd.Series, pairs: pd.DataFrame | None = None) -> Leakage:
    """What joins train, valid and test, in a published split as it is or in one that `make_split` made.

    Near-duplicates are taken with the near-duplicates of their near-duplicates, as they are when a split is made.

    Args:
        index: a dataset's index with `sha256`, `phash`, `identity`, `split` and `path`; rows that an applied overlay
            excludes are passed over.
        parts: a string a row; what is neither train, valid nor test is not used and leaks nothing.
        pairs: near-duplicates found before, as `duplicates.groups` takes them; searched for when None.
    """
    rows, kept, pairs = rows_in_use(index, pairs)
    part = places_of(parts.iloc[rows], tuple(map(str, Split)))
    same, identity = _codes(kept["sha256"]), _codes(kept["identity"])
    alike = groups(kept.assign(identity=pd.array([pd.NA] * len(kept), "string")), pairs)
    published = _codes(kept["split"])
    name = np.where(published >= 0, _codes(kept["path"].str.replace(r"^.*/", "", regex=True)), -1)
    found = {
        Cause.EXACT: _leak(rows, same, part),
        Cause.NEAR: _leak(rows, alike, part, apart=same),
        Cause.IDENTITY: _leak(rows, identity, part),
        Cause.NAME: _leak(rows, name, part, apart=published),
    }
    known = {Cause.IDENTITY: (identity >= 0).any(), Cause.NAME: (published >= 0).any()}
    unchecked = tuple(cause for cause in found if not known.get(cause, True))
    return Leakage({cause: leak for cause, leak in found.items() if cause not in unchecked}, unchecked)


def rows_in_use(
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


def _leak(
    rows: NDArray[np.int64], group: NDArray[np.int64], part: NDArray[np.int64], apart: NDArray[np.int64] | None = None
) -> Leak:
    """What groups join across parts; numbers below 0 are no group and no part. See `_joined` for `apart`."""
    used = np.flatnonzero((group >= 0) & (part >= 0))
    used = used[np.bincount(group[used], minlength=1)[group[used]] > 1]
    group, part, apart = (values[used] for values in (group, part, part if apart is None else apart))
    joined = _joined(group, part, apart)
    judged = part > 0
    return Leak(
        groups=len(np.unique(group[joined])),
        rows=rows[used[joined]],
        training=int((joined & ~judged).sum()),
        validation=int((_joined(group[judged], part[judged], apart[judged]) & (part[judged] == 1)).sum()),
    )


def _joined(group: NDArray[np.int64], part: NDArray[np.int64], apart: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Rows whose group has a row of another part that also differs in `apart`."""
    frame = pd.DataFrame({"group": group, "part": part, "apart": apart})
    cells = frame.drop_duplicates()
    whole, same_part, same_apart = (
        cells.groupby(keys)["group"].transform("size").to_numpy()
        for keys in (["group"], ["group", "part"], ["group", "apart"])
    )
    differing = whole - same_part - same_apart + 1  # the cell itself was taken away twice
    cell = frame.groupby(["group", "part", "apart"], sort=False).ngroup().to_numpy()  # in the order of `cells`
    return np.asarray(differing[cell] > 0, np.bool_)
