"""The filters of the section Faces, which combine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.record import Split
from fer_core.labels import Expression
from fer_ui.datasets.split_choice import ALL_SPLITS
from fer_ui.escaping import escape_markdown
from fer_ui.image_labels import CORRECTION_COLUMNS, NO_SPLIT, describe_reason, split_title
from fer_ui.theme import expression_title

ALL = "all"
UNLABELED = "unlabeled"
USED = "used"
PROBLEM = "problem"

MARKS = {
    ALL: "Any correction",
    USED: "Not excluded",
    **{mark: mark.capitalize() for mark in CORRECTION_COLUMNS},
    PROBLEM: "Image problem",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """The filters. `label` is an expression, a reason for having none, `UNLABELED` or `ALL`; `finding` a kind."""

    label: str = ALL
    split: str = ALL_SPLITS
    mark: str = ALL
    find: str = ""
    finding: str = ALL


def find_matching(
    index: pd.DataFrame, filters: Filter, finding_rows: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Find the positions of the rows that match a filter, in the index's order.

    Args:
        finding_rows: of the finding that the filter names.
    """
    mask = np.ones(len(index), bool)
    if filters.label == UNLABELED:
        mask &= index["label"].isna().to_numpy(bool)
    elif filters.label in list(Expression):
        mask &= _equals(index["label"], filters.label)
    elif filters.label != ALL:
        mask &= _equals(index["unlabeled"], filters.label)
    if filters.split != ALL_SPLITS:
        without = filters.split == NO_SPLIT
        mask &= index["split"].isna().to_numpy(bool) if without else _equals(index["split"], filters.split)
    if filters.mark == PROBLEM:
        mask &= ~_equals(index["problem"], "")
    elif filters.mark == USED:
        mask &= ~index["excluded"].to_numpy(bool)
    elif filters.mark != ALL:
        mask &= index[filters.mark].to_numpy(bool)
    if finding_rows is not None:
        mask &= np.isin(np.arange(len(index)), finding_rows)
    positions = np.flatnonzero(mask)
    if filters.find:
        paths = index["path"] if len(positions) == len(index) else index["path"].iloc[positions]
        positions = positions[paths.str.contains(filters.find, case=False, regex=False).to_numpy(bool)]
    return positions


def label_options(index: pd.DataFrame) -> dict[str, str]:
    """Build the label options that occur: expressions in the fixed order, then the reasons for having none."""
    present = set(index["label"].dropna().unique())
    options = {ALL: "Any expression"} | {
        str(each): expression_title(each) for each in Expression if str(each) in present
    }
    reasons = sorted(str(reason) for reason in index["unlabeled"].dropna().unique() if reason)
    if index["label"].isna().any():
        options[UNLABELED] = "No expression"
        options |= {reason: escape_markdown(f"No expression: {describe_reason(reason)}") for reason in reasons}
    return options


def split_options(index: pd.DataFrame) -> dict[str, str]:
    """Build the split options that occur."""
    present = set(index["split"].dropna().unique())
    without = {NO_SPLIT: split_title(NO_SPLIT)} if index["split"].isna().any() else {}
    splits = {str(split): split_title(split) for split in Split if split in present}
    return {ALL_SPLITS: "Any split"} | splits | without


def _equals(column: pd.Series, value: str) -> NDArray[np.bool_]:
    return (column == value).fillna(False).to_numpy(bool)
