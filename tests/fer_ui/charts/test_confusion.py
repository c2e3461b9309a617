"""Confusion matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fer_core.evaluation.analysis.confusions import find_confusions, row_shares
from fer_core.labels import LABEL_SETS, Expression
from fer_core.metrics import RANKED_IMAGES_MIN
from fer_ui.charts.confusion import (
    confusion_table,
    describe_confusion,
    matrix_data,
)
from tests.support.texts import assert_mentions

LABELS = LABEL_SETS["four"].expressions
CONFUSION = np.array([[90, 5, 5, 0], [10, 80, 0, 10], [0, 0, 0, 0], [52, 4, 0, 10]])


def _cells(confusion: np.ndarray, **options: bool) -> list[list[dict[str, Any]] | None]:
    cells: list[list[dict[str, Any]] | None] = matrix_data(confusion, LABELS, **options)["cells"]
    return cells


def test_the_color_is_the_share_of_the_row() -> None:
    shares = row_shares(CONFUSION)
    labeled_rows = [0, 1, 3]
    assert shares[labeled_rows].sum(axis=1) == pytest.approx(1)
    assert np.isnan(shares[2]).all()
    for row in labeled_rows:
        drawn = _cells(CONFUSION)[row]
        assert drawn is not None
        np.testing.assert_allclose([cell["share"] for cell in drawn], shares[row], atol=1e-4)


def test_cells_show_counts_or_percentages() -> None:
    first, last = _cells(CONFUSION)[0], _cells(CONFUSION)[3]
    assert first is not None and last is not None
    assert [cell["text"] for cell in first] == ["90", "5", "5", "0"]
    assert [cell["faint"] for cell in first] == [False, False, False, True]
    percentages = _cells(CONFUSION, shown="ratios")[3]
    assert percentages is not None and percentages[0]["text"] == "78.8"
    large = _cells(CONFUSION + np.eye(4, dtype=int) * 14_500)[0]
    assert large is not None and large[0]["text"] == "14.6k"


def test_a_row_without_images_has_no_cells() -> None:
    assert [row is None for row in _cells(CONFUSION, shown="ratios")] == [False, False, True, False]
    assert _cells(np.zeros((4, 4), dtype=int)) == [None] * 4
    assert matrix_data(np.zeros((0, 0), dtype=int), ())["cells"] == []


def test_a_hint_says_what_a_cell_is() -> None:
    row = _cells(CONFUSION)[3]
    assert row is not None
    assert_mentions(row[0]["hint"], "labeled surprise", "predicted as neutral", "52 of 66 images", "78.8 %")


def test_row_totals_and_the_fixed_order_are_on_the_axes() -> None:
    data = matrix_data(CONFUSION, LABELS)
    assert data["columns"] == ["Neutral", "Happiness", "Sadness", "Surprise"]
    assert [row["name"] for row in data["rows"]] == data["columns"]
    assert [row["support"] for row in data["rows"]] == ["100 images", "100 images", "0 images", "66 images"]


def test_the_subtitle_names_the_largest_confusion() -> None:
    text = describe_confusion(CONFUSION, LABELS)
    assert_mentions(text, "78.8 % of surprise", "predicted as neutral", "52 of 66 images")
    largest = find_confusions(CONFUSION, LABELS)[0]
    assert (largest.label, largest.predicted) == (Expression.SURPRISE, Expression.NEUTRAL)


def test_a_class_of_few_images_is_never_the_largest_confusion() -> None:
    few = RANKED_IMAGES_MIN - 1
    confusion = np.array([[90, 10, 0, 0], [40, 60, 0, 0], [few, 0, 0, 0], [0, 0, 0, 5]])
    largest = find_confusions(confusion, LABELS)[0]
    assert largest.label is Expression.HAPPINESS, "all sadness is wrong, but it has 9 images"
    text = describe_confusion(confusion, LABELS)
    assert_mentions(text, "40.0 % of happiness", "not ranked", "fewer than 10", "sadness (9)", "surprise (5)")
    confusion[2, 0] += 1
    largest = find_confusions(confusion, LABELS)[0]
    assert largest.label is Expression.SADNESS
    only_few = np.diag([20, 20, 0, 20])
    only_few[2] = [3, 0, 0, 0]
    assert_mentions(describe_confusion(only_few, LABELS), "3 images of 63", "sadness (3)")


def test_the_table_has_a_row_for_each_cell() -> None:
    table = confusion_table(CONFUSION, LABELS)
    assert list(table.columns) == ["label", "predicted", "images", "share_01"]
    np.testing.assert_array_equal(table["images"].to_numpy().reshape(4, 4), CONFUSION)
    assert table[table["label"] == "happiness"]["share_01"].sum() == pytest.approx(1)


def test_no_errors_and_no_images_are_described() -> None:
    assert_mentions(describe_confusion(np.diag([3, 4, 0, 1]), LABELS), "no errors", "8 images")
    no_images = np.zeros((4, 4), dtype=int)
    assert_mentions(describe_confusion(no_images, LABELS), "no labeled images")
