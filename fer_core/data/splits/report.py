"""What a page and a command say of a split: who is in which part, who is left out and why.

What leaks between its parts is `find_leakage.leakage`; on a million images that takes as long as making the split.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from fer_core.data.duplicates.groups import Groups
from fer_core.data.imbalance.counts import excluded_rows
from fer_core.data.record import Split
from fer_core.data.splits.leakage import Cause, Leakage
from fer_core.data.splits.split import EXCLUDED, SplitConfig, find_leakage, make_split, split_counts

SPLIT_COLUMNS = ("id", "path", "split", "label", "identity", "sha256")
"""The columns of an index that a split looks at, where its duplicates were found before."""


class Reason(StrEnum):
    """Why an image is in no part of a split."""

    EXCLUDED = "excluded"
    UNMENTIONED = "unmentioned"
    EXACT = "exact_duplicate"
    NEAR = "near_duplicate"
    IDENTITY = "identity"
    JOINED = "joined"


REASONS: dict[Reason, str] = {
    Reason.EXCLUDED: "excluded by corrections",
    Reason.UNMENTIONED: "in no published part",
    Reason.EXACT: "the same as a judged image",
    Reason.NEAR: "nearly the same as a judged image",
    Reason.IDENTITY: "of a person who is judged",
    Reason.JOINED: "tied to a judged image through others",
}
"""The reasons in words: "340 the same as a judged image"."""


@dataclass(frozen=True, slots=True)
class SplitReport:
    """A split that was made of a dataset.

    Attributes:
        config: how it was to be made.
        splits: the part of each row of the index, or `EXCLUDED`.
        counts: as `split.describe` gives them.
        left_out: how many images are in no part, by reason; only reasons that occur.
        published: whether the dataset has a published split of its own: a training and a further part.
        published_leakage: what leaks in that as it comes; None where there is none.
    """

    config: SplitConfig
    splits: pd.Series
    counts: pd.DataFrame
    left_out: dict[Reason, int]
    published: bool
    published_leakage: Leakage | None

    @property
    def kind(self) -> str:
        """The kind that it is: without a published split, a seeded one takes its place."""
        return "seeded" if self.config.kind == "published" and not self.published else self.config.kind


def split_report(
    index: pd.DataFrame, config: SplitConfig, ties: Groups, published_leakage: Leakage | None = None
) -> SplitReport:
    """Make a split and count it.

    Args:
        index: with `split`, `label` and, where an overlay was applied, `excluded`.
        ties: what belongs together in it.
        published_leakage: what `leakage_of_published` found before.
    Raises:
        ConfigError: the images can't be divided like that.
    """
    splits = make_split(index, config, ties)
    published = has_published_split(index)
    if published and published_leakage is None:
        published_leakage = leakage_of_published(index, ties)
    return SplitReport(
        config=config,
        splits=splits,
        counts=split_counts(splits, index),
        left_out=_reasons(index, splits, published_leakage),
        published=published,
        published_leakage=published_leakage if published else None,
    )


def has_published_split(index: pd.DataFrame) -> bool:
    """Whether a dataset comes with a training part and another."""
    present = set(index["split"].dropna().unique())
    return Split.TRAIN in present and len(present) > 1


def leakage_of_published(index: pd.DataFrame, ties: Groups) -> Leakage:
    """What leaks between the parts that a dataset comes with.

    Args: those of `split_report`.
    """
    return find_leakage(ties, index["split"])


def split_table(index: pd.DataFrame, splits: pd.Series) -> pd.DataFrame:
    """A split as a table: `id` and `split`."""
    return pd.DataFrame({"id": index["id"].to_numpy(object), "split": splits.to_numpy(object)}, dtype="string")


def _reasons(index: pd.DataFrame, splits: pd.Series, published: Leakage | None) -> dict[Reason, int]:
    """Why images are left out; each counts once, by the first reason that holds."""
    waiting = (splits == EXCLUDED).to_numpy(bool)
    holds = {Reason.EXCLUDED: excluded_rows(index), Reason.UNMENTIONED: index["split"].isna().to_numpy(bool)}
    if published is not None:
        for reason, cause in (
            (Reason.EXACT, Cause.EXACT),
            (Reason.NEAR, Cause.NEAR),
            (Reason.IDENTITY, Cause.IDENTITY),
        ):
            leak = published.leaks.get(cause)
            holds[reason] = np.isin(np.arange(len(index)), leak.rows if leak else [])
    counted = {}
    for reason, rows in holds.items():
        counted[reason] = int((waiting & rows).sum())
        waiting = waiting & ~rows
    counted[Reason.JOINED] = int(waiting.sum())
    return {reason: number for reason, number in counted.items() if number}
