"""Report a split: its class counts, and which images are excluded and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from fer_core.data.duplicates.groups import Groups
from fer_core.data.imbalance.counts import excluded_rows
from fer_core.data.record import Split
from fer_core.data.splits.leakage import Cause, Leakage, find_leakage
from fer_core.data.splits.split import EXCLUDED, SplitConfig, make_split, split_counts

SPLIT_COLUMNS = ("id", "path", "split", "label", "identity", "sha256")
"""Columns of the index for a split of a dataset with known duplicates."""


class Reason(StrEnum):
    """Why an image is in none of train, valid and test."""

    CORRECTED = "corrections"
    UNPUBLISHED = "unpublished"
    EXACT = "exact_duplicate"
    NEAR = "near_duplicate"
    IDENTITY = "identity"
    LINKED = "linked"


REASONS: dict[Reason, str] = {
    Reason.CORRECTED: "excluded by corrections",
    Reason.UNPUBLISHED: "not in the published split",
    Reason.EXACT: "identical to a validation or test image",
    Reason.NEAR: "nearly identical to a validation or test image",
    Reason.IDENTITY: "of a person in validation or test",
    Reason.LINKED: "linked to a validation or test image through other images",
}
"""Descriptions that follow a count: "340 nearly identical to a validation or test image"."""


@dataclass(frozen=True, slots=True)
class SplitReport:
    """A split of a dataset.

    Attributes:
        config: how it was made.
        splits: the split of each row of the index.
        counts: images by split and class, as `split_counts` returns them.
        excluded: how many images are in no split, by reason; only reasons that occur.
        published: whether the dataset has a published split: train and at least one more.
        published_leakage: the leakage of the published split; None where there is none.
    """

    config: SplitConfig
    splits: pd.Series
    counts: pd.DataFrame
    excluded: dict[Reason, int]
    published: bool
    published_leakage: Leakage | None

    @property
    def kind(self) -> str:
        """The kind of split: seeded where a published one was configured and there is none."""
        return "seeded" if self.config.kind == "published" and not self.published else self.config.kind


def split_report(
    index: pd.DataFrame, config: SplitConfig, groups: Groups, published_leakage: Leakage | None = None
) -> SplitReport:
    """Make a split and report it.

    Args:
        index: with `split`, `label` and, where corrections were applied, `excluded`.
        groups: of this index.
        published_leakage: from `leakage_of_published`; computed when None.
    Raises:
        ConfigError: the images can't be divided like that.
    """
    splits = make_split(index, config, groups)
    published = has_published_split(index)
    if published and published_leakage is None:
        published_leakage = leakage_of_published(index, groups)
    return SplitReport(
        config=config,
        splits=splits,
        counts=split_counts(splits, index),
        excluded=_reasons(index, splits, published_leakage),
        published=published,
        published_leakage=published_leakage if published else None,
    )


def has_published_split(index: pd.DataFrame) -> bool:
    """Whether a dataset comes with train and at least one more split."""
    present = set(index["split"].dropna().unique())
    return Split.TRAIN in present and len(present) > 1


def leakage_of_published(index: pd.DataFrame, groups: Groups) -> Leakage:
    """Find the leakage of the split that a dataset comes with."""
    return find_leakage(groups, index["split"])


def split_table(index: pd.DataFrame, splits: pd.Series) -> pd.DataFrame:
    """Build a table of a split: `id` and `split`."""
    return pd.DataFrame({"id": index["id"].to_numpy(object), "split": splits.to_numpy(object)}, dtype="string")


def _reasons(index: pd.DataFrame, splits: pd.Series, published: Leakage | None) -> dict[Reason, int]:
    """Count excluded images by reason; each counts once, by the first reason that holds."""
    remaining = (splits == EXCLUDED).to_numpy(bool)
    holds = {Reason.CORRECTED: excluded_rows(index), Reason.UNPUBLISHED: index["split"].isna().to_numpy(bool)}
    if published is not None:
        for reason, cause in (
            (Reason.EXACT, Cause.EXACT),
            (Reason.NEAR, Cause.NEAR),
            (Reason.IDENTITY, Cause.IDENTITY),
        ):
            leak = published.leaks.get(cause)
            holds[reason] = np.isin(np.arange(len(index)), leak.rows if leak else [])
    counts = {}
    for reason, rows in holds.items():
        counts[reason] = int((remaining & rows).sum())
        remaining = remaining & ~rows
    counts[Reason.LINKED] = int(remaining.sum())
    return {reason: number for reason, number in counts.items() if number}
