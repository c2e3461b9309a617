"""Names of an image's split, label and corrections on pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fer_core.data.label_mapping.label_map import IGNORED_LABEL, NO_LABEL
from fer_core.data.record import SPLIT_TITLES
from fer_core.data.votes import Unlabeled
from fer_core.labels import Expression
from fer_core.text import capitalize_first
from fer_ui.theme import expression_title

NO_SPLIT = "none"
"""The query value for images without a split."""

UNLABELED_REASONS: dict[str, str] = {
    str(Unlabeled.TIE): "tied votes",
    str(Unlabeled.UNKNOWN): "unknown",
    str(Unlabeled.NOT_A_FACE): "not a face",
    IGNORED_LABEL: "label ignored",
    NO_LABEL: "no label given",
}

CORRECTION_COLUMNS: tuple[str, ...] = ("excluded", "ambiguous", "relabeled")
"""The index's columns that corrections set, which are also their names on pages."""


def describe_split(split: str) -> str:
    """Name a split in a sentence: "validation"."""
    return SPLIT_TITLES.get(split, split if split not in ("", NO_SPLIT) else "no split")


def split_title(split: str) -> str:
    """Name a split as a title: "Validation"."""
    return capitalize_first(describe_split(split))


def describe_reason(reason: str) -> str:
    """Describe why an image has no expression: "tied votes"."""
    return UNLABELED_REASONS.get(reason, reason.replace("_", " ") or "no label")


def label_title(row: Mapping[str, Any]) -> str:
    """Name an image's label as a title, or why it has none."""
    label = get_text(row, "label")
    if label in list(Expression):
        return expression_title(Expression(label))
    return capitalize_first(describe_reason(get_text(row, "unlabeled")))


def get_marks(row: Mapping[str, Any]) -> list[str]:
    """Get the corrections of an image."""
    return [column for column in CORRECTION_COLUMNS if row.get(column) is True]


def get_text(row: Mapping[str, Any], column: str) -> str:
    """Get a text of an index row; "" where it is missing."""
    value = row.get(column)
    return "" if value is None or pd.isna(value) else str(value)
