"""Confusion matrix."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.labels import LABEL_SETS, Expression
from fer_core.metrics import RANKED_IMAGES_MIN
from fer_ui.charts.confusion import (
    confusion_heatmap,
    confusion_table,
    describe_confusion,
    find_largest_confusion,
    row_shares,
)
from fer_ui.charts.layout import get_titles
from fer_ui.theme import PAGE, TEXT
from tests.support.texts import assert_mentions

LABELS = LABEL_SETS["four"].expressions
CONFUSION = np.array([[90, 5, 5, 0], [10, 80, 0, 10], [0, 0, 0, 0], [52, 4, 0, 10]])


def _annotation_texts(confusion: np.ndarray, **options: bool) -> list[str]:
    figure = confusion_heatmap(confusion, LABELS, **options)
    return [annotation.text for annotation in figure.layout.annotations]


def test_the_color_is_the_share_of_the_row() -> None:
    shares = row_shares(CONFUSION)
    labeled_rows = [0, 1, 3]
    assert shares[labeled_rows].sum(axis=1) == pytest.approx(1)
    assert np.isnan(shares[2]).all()
    figure = confusion_heatmap(CONFUSION, LABELS)
    np.testing.assert_array_equal(figure.data[0].z, shares)


def test_cells_show_counts_or_percentages() -> None:
    assert "<b>90</b>" in _annotation_texts(CONFUSION)
    assert "52" in _annotation_texts(CONFUSION)
    assert "78.8" in _annotation_texts(CONFUSION, ratios=True)
    assert "<b>14.6k</b>" in _annotation_texts(CONFUSION + np.eye(4, dtype=int) * 14_500)


def test_a_row_without_images_says_so_and_shows_no_zero() -> None:
    texts = _annotation_texts(CONFUSION, ratios=True)
    assert texts.count("no images") == 1
    assert len(texts) == 3 * 4 + 1 + 1
    figure = confusion_heatmap(CONFUSION, LABELS)
    assert len(figure.data[1].x) == 3 * 4


def test_hover_texts_and_the_clicked_cell() -> None:
    cells = confusion_heatmap(CONFUSION, LABELS).data[1]
    index = [tuple(data[:2]) for data in cells.customdata].index(("surprise", "neutral"))
    assert_mentions(cells.hovertext[index], "labeled surprise", "predicted as neutral", "52 of 66 images", "78.8 %")
    assert cells.customdata[index][2] == 52
    assert (cells.x[index], cells.y[index]) == (0, 3)


def test_row_totals_and_the_fixed_order_are_on_the_axes() -> None:
    figure = confusion_heatmap(CONFUSION, LABELS)
    assert list(figure.layout.xaxis.ticktext) == ["Neutral", "Happiness", "Sadness", "Surprise"]
    assert ["100 images" in text for text in figure.layout.yaxis.ticktext] == [True, True, False, False]
    assert figure.layout.yaxis.range == (3.5, -0.5)


def test_text_changes_color_where_the_scale_jumps() -> None:
    figure = confusion_heatmap(CONFUSION, LABELS)
    colors = {annotation.text: annotation.font.color for annotation in figure.layout.annotations}
    assert colors["<b>90</b>"] == PAGE
    assert colors["52"] == PAGE
    assert colors["<b>10</b>"] == TEXT


def test_the_subtitle_names_the_largest_confusion() -> None:
    text = get_titles(confusion_heatmap(CONFUSION, LABELS)).subtitle
    assert_mentions(text, "78.8 % of surprise", "predicted as neutral", "52 of 66 images")
    assert text == describe_confusion(CONFUSION, LABELS)
    largest = find_largest_confusion(CONFUSION, LABELS)
    assert largest is not None
    assert (largest.label, largest.predicted) == (Expression.SURPRISE, Expression.NEUTRAL)


def test_a_class_of_few_images_is_never_the_largest_confusion() -> None:
    few = RANKED_IMAGES_MIN - 1
    confusion = np.array([[90, 10, 0, 0], [40, 60, 0, 0], [few, 0, 0, 0], [0, 0, 0, 5]])
    largest = find_largest_confusion(confusion, LABELS)
    assert largest is not None and largest.label is Expression.HAPPINESS, "all sadness is wrong, but it has 9 images"
    text = describe_confusion(confusion, LABELS)
    assert_mentions(text, "40.0 % of happiness", "left out", "fewer than 10", "sadness (9)", "surprise (5)")
    confusion[2, 0] += 1
    largest = find_largest_confusion(confusion, LABELS)
    assert largest is not None and largest.label is Expression.SADNESS
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
    assert _annotation_texts(no_images).count("no images") == 4
    confusion_heatmap(no_images, LABELS).to_json()
    confusion_heatmap(np.zeros((0, 0), dtype=int), ()).to_json()
