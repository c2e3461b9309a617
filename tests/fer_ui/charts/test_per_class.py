"""Chart and table of the metrics of each class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.labels import LABEL_SETS, Expression
from fer_core.metrics import classification_metrics
from fer_ui.charts.per_class import COLUMNS, class_metrics_bars, describe_metrics, metrics_table
from tests.support.texts import assert_mentions

LABELS = LABEL_SETS["four"].expressions
TRUTH = np.repeat([0, 1, 3], [100, 100, 10])
PREDICTED = np.concatenate([np.repeat([0, 1], [90, 10]), np.repeat([1, 0], [80, 20]), np.repeat([0], [10])])


@pytest.fixture
def table() -> pd.DataFrame:
    return metrics_table(classification_metrics(TRUTH, PREDICTED, len(LABELS)), LABELS)


def test_undefined_metrics_are_nan(table: pd.DataFrame) -> None:
    assert tuple(table.columns) == COLUMNS
    assert table["support"].tolist() == [100, 100, 0, 10]
    assert table["recall"].tolist()[:2] == [0.9, 0.8]
    assert table["recall"].iloc[3] == 0
    assert np.isnan(table["recall"].iloc[2])
    assert table["precision"].isna().tolist() == [False, False, True, True]
    with_images = table.dropna(subset="recall")
    assert (with_images["recall_low"] <= with_images["recall"]).all()
    assert (with_images["recall"] <= with_images["recall_high"]).all()


def test_bar_lengths_are_the_metrics_and_recall_has_its_interval(table: pd.DataFrame) -> None:
    figure = class_metrics_bars(table)
    precision, recall, f1 = (figure.data[index] for index in (0, 2, 4))
    np.testing.assert_array_equal(precision.x, table["precision"])
    np.testing.assert_array_equal(recall.x, table["recall"])
    np.testing.assert_array_equal(f1.x, table["f1"])
    assert recall.error_x.array[0] == pytest.approx(table["recall_high"].iloc[0] - 0.9)
    assert recall.error_x.arrayminus[0] == pytest.approx(0.9 - table["recall_low"].iloc[0])
    assert precision.error_x.array is None
    assert recall.error_x.array[2] == 0


def test_bars_of_a_class_are_grouped(table: pd.DataFrame) -> None:
    figure = class_metrics_bars(table)
    offsets = np.array([figure.data[index].y for index in (0, 2, 4)]) + 0.0
    assert (np.diff(offsets, axis=0) >= figure.data[0].width).all()
    assert (np.abs(offsets - np.arange(4)) + figure.data[0].width / 2 < 0.5).all()


def test_labels_are_behind_whiskers_and_undefined_metrics_are_explained(table: pd.DataFrame) -> None:
    figure = class_metrics_bars(table)
    assert list(figure.data[3].text)[2] == "no images"
    assert list(figure.data[1].text)[2:] == ["never predicted"] * 2
    assert figure.data[3].x[0] == table["recall_high"].iloc[0]


def test_hover_texts(table: pd.DataFrame) -> None:
    figure = class_metrics_bars(table)
    assert_mentions(figure.data[2].hovertext[0], "recall", "90.0 % of 100 images", "neutral", "95 %", "82.6 to 94.5 %")
    assert_mentions(figure.data[0].hovertext[3], "no image", "surprise")
    assert_mentions(figure.data[2].hovertext[2], "no images", "sadness")


def test_the_subtitle_names_best_worst_few_and_missing(table: pd.DataFrame) -> None:
    text = describe_metrics(table)
    assert_mentions(text, "neutral", "90.0 %", "surprise", "0.0 %", "fewer than 30", "surprise", "no images of sadness")
    assert_mentions(describe_metrics(table.head(1)), "neutral", "90.0 %")
    assert_mentions(describe_metrics(table.iloc[[2]]), "no class has images")


def test_a_class_of_few_images_is_neither_the_best_nor_the_lowest() -> None:
    truth = np.repeat([0, 1, 2, 3], [100, 50, 9, 9])
    predicted = np.repeat([0, 1, 2, 0], [100, 50, 9, 9])
    predicted[:5] = 1
    text = describe_metrics(metrics_table(classification_metrics(truth, predicted, len(LABELS)), LABELS))
    assert_mentions(text, "highest recall: happiness (100.0 %)", "lowest: neutral (95.0 %)")
    assert_mentions(text, "not ranked, with fewer than 10 images: sadness (9) and surprise (9)")
    few = metrics_table(classification_metrics(truth[-18:], predicted[-18:], len(LABELS)), LABELS)
    assert "recall" not in describe_metrics(few).lower()


def test_without_classes_the_figure_shows_why(table: pd.DataFrame) -> None:
    assert not class_metrics_bars(table.head(0)).data
    class_metrics_bars(table.iloc[[2]]).to_json()


def test_classes_keep_their_order(table: pd.DataFrame) -> None:
    names = class_metrics_bars(table).layout.yaxis.ticktext
    assert [name.split("<br>")[0].lower() for name in names] == [e.value for e in LABELS]
    assert Expression(table["expression"].iloc[0]) is Expression.NEUTRAL
