"""The confusion matrix of a model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.evaluation.analysis.confusions import find_confusions, row_shares
from fer_core.labels import Expression
from fer_core.text import format_signed
from fer_ui.charts.few_images import describe_unranked
from fer_ui.formatting import format_compact_count, format_count, format_images, format_percent
from fer_ui.theme import expression_title

TITLE = "Confusion matrix"

Shown = Literal["counts", "ratios", "columns", "difference"]
"""What cells show: images, their share of the row or of the column, or the difference of row shares from another
model's."""


def confusion_table(confusion: NDArray[np.integer], labels: Sequence[Expression]) -> pd.DataFrame:
    """Tabulate a confusion matrix: `label`, `predicted`, `images`, and their share of the label's, 0..1."""
    shares = row_shares(confusion)
    rows = [
        (label.value, predicted.value, int(confusion[row, column]), shares[row, column])
        for row, label in enumerate(labels)
        for column, predicted in enumerate(labels)
    ]
    return pd.DataFrame(rows, columns=["label", "predicted", "images", "share_01"])


def describe_confusion(confusion: NDArray[np.integer], labels: Sequence[Expression]) -> str:
    """Describe the largest confusion, and which classes have too few images for it."""
    total, errors = int(confusion.sum()), int(confusion.sum() - np.trace(confusion))
    if total == 0:
        return "There are no labeled images."
    if not errors:
        return f"No errors: all {format_images(total)} are predicted as labeled."
    largest = next(iter(find_confusions(confusion, labels)), None)
    unranked = describe_unranked(dict(zip(labels, confusion.sum(axis=1).tolist(), strict=True)))
    if largest is None:
        wrong = f"{format_images(errors)} of {format_count(total)}"
        return f"{wrong} predicted as another expression. {unranked}".strip()
    share = format_percent(largest.number / largest.support)
    return (
        f"Largest confusion: {share} of {largest.label.value} is predicted as {largest.predicted.value} "
        f"({format_count(largest.number)} of {format_images(largest.support)}). {unranked}"
    ).strip()


def matrix_data(
    confusion: NDArray[np.integer],
    labels: Sequence[Expression],
    *,
    shown: Shown = "counts",
    difference: NDArray[np.floating] | None = None,
) -> dict[str, Any]:
    """Build what the browser draws of a confusion matrix.

    A cell's color is its share of its row, so that rare classes are visible; where cells show shares of columns or
    differences, it is these. A row without images has no cells.

    Args:
        confusion: counts, shape (K, K), true classes in rows, predicted ones in columns.
        labels: the K classes.
        difference: of row shares from another model's, -1..1, shape (K, K), nan where it has no images; needed for
            "difference".
    """
    supports = confusion.sum(axis=1).tolist()
    cell = partial(_cell, confusion, labels, shown, difference)
    return {
        "rows": [
            {"name": expression_title(label), "support": _format_support(support)}
            for label, support in zip(labels, supports, strict=True)
        ],
        "columns": [expression_title(label) for label in labels],
        "cells": [
            [cell(row, column) for column in range(len(labels))] if support else None
            for row, support in enumerate(supports)
        ],
    }


def _cell(
    confusion: NDArray[np.integer],
    labels: Sequence[Expression],
    shown: Shown,
    difference: NDArray[np.floating] | None,
    row: int,
    column: int,
) -> dict[str, Any]:
    number, support, predicted = int(confusion[row, column]), int(confusion[row].sum()), int(confusion[:, column].sum())
    share = number / support
    hint = (
        f"Labeled {labels[row].value}, predicted as {labels[column].value}: {format_count(number)} of "
        f"{format_images(support)} ({format_percent(share)})"
    )
    cell: dict[str, Any] = {
        "id": [str(labels[row]), str(labels[column])],
        "hint": hint,
        "faint": number == 0,
        "bold": row == column,
    }
    if shown == "columns":
        of_column = number / predicted if predicted else 0.0
        hint += f"; {format_percent(of_column)} of all predicted as {labels[column].value}"
        cell |= {"text": f"{of_column * 100:.1f}", "share": of_column, "hint": hint}
    elif shown == "difference" and difference is not None:
        change = float(np.nan_to_num(difference[row, column]))
        text = format_signed(change * 100, 1)
        cell |= {"text": text, "hint": f"{hint}; {text} points", "share": abs(change), "sign": int(np.sign(change))}
        cell["faint"] = not round(change * 100, 1)
    else:
        text = f"{share * 100:.1f}" if shown == "ratios" else format_compact_count(number)
        cell |= {"text": text, "share": share}
    return {**cell, "share": round(cell["share"], 4)}


def _format_support(support: int) -> str:
    return format_images(support) if support < 10**5 else f"{format_compact_count(support)} images"
