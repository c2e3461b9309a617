"""Class shares of several datasets side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.labels import LABEL_SETS, Expression
from fer_ui.charts.comparison import DATASETS_MAX, class_comparison, describe_comparison
from fer_ui.charts.layout import get_titles
from fer_ui.datasets.imbalance.compare_view import class_shares, imbalance_metrics
from fer_ui.theme import SERIES
from tests.support.texts import assert_mentions

THREE, EIGHT = LABEL_SETS["three"], LABEL_SETS["eight"]


def _table(*counts: int, split: str = "") -> pd.DataFrame:
    rows = [(split, str(expression), number) for expression, number in zip(Expression, counts, strict=False)]
    return pd.DataFrame(rows, columns=["split", "expression", "count"])


def _two_datasets() -> dict[str, pd.DataFrame]:
    """Counts of two datasets: 60, 20 and 20 against 10, 10 and 80 in the label set, and others outside it."""
    return {"one": _table(900, 60, 20, 5, 0, 0, 20), "other": _table(7, 10, 10, 0, 0, 0, 80)}


def test_shares_are_those_among_the_label_set() -> None:
    shares = class_shares(_two_datasets(), THREE)
    assert shares["expression"].tolist() == ["happiness", "sadness", "anger"] * 2
    assert shares["share_01"].tolist() == pytest.approx([0.6, 0.2, 0.2, 0.1, 0.1, 0.8])
    assert shares["count"].tolist() == [60, 20, 20, 10, 10, 80]


def test_counts_of_all_splits_are_summed() -> None:
    two_splits = pd.concat([_table(3, 1, split="train"), _table(1, 3, split="test")])
    assert class_shares({"one": two_splits}, EIGHT)["count"].tolist() == [4, 4, 0, 0, 0, 0, 0, 0]


def test_each_dataset_has_its_color_and_bars_as_long_as_its_shares() -> None:
    figure = class_comparison(class_shares(_two_datasets(), THREE))
    assert [bars.name for bars in figure.data] == ["one", "other"]
    assert [bars.marker.color for bars in figure.data] == list(SERIES[:2])
    assert list(figure.data[0].x) == pytest.approx([60, 20, 20])
    assert figure.data[1].text[2] == "80.0 %"
    assert_mentions(figure.data[1].hovertext[2], "other", "80", "anger", "80.0 %")
    assert figure.layout.showlegend
    assert figure.layout.xaxis.range[1] == pytest.approx(80)


def test_the_description_names_the_expression_that_differs_most() -> None:
    shares = class_shares(_two_datasets(), THREE)
    assert_mentions(describe_comparison(shares), "anger", "80.0 % of other", "20.0 % of one")
    assert get_titles(class_comparison(shares)).subtitle == describe_comparison(shares)
    equal_shares = class_shares({"one": _table(5, 5), "other": _table(50, 50)}, EIGHT)
    assert_mentions(describe_comparison(equal_shares), "same")
    assert describe_comparison(class_shares({"one": _table(5, 5)}, EIGHT)) == ""
    rare = class_shares({"one": _table(9, 40, 60), "other": _table(0, 60, 40)}, EIGHT)
    assert_mentions(describe_comparison(rare), "happiness differs most")  # 9 images of neutral are too few


def test_a_dataset_without_images_of_these_classes_has_no_share() -> None:
    shares = class_shares({"one": _table(0, 5, 5), "none": _table(9)}, THREE)
    assert shares["share_01"].isna().tolist() == [False] * 3 + [True] * 3
    figure = class_comparison(shares)
    assert figure.data[1].text == ("no images",) * 3
    assert not any(figure.data[1].x)
    metrics = imbalance_metrics({"one": _table(0, 5, 5), "none": _table(9)}, THREE)
    assert metrics["images"].tolist() == [10, 0]
    assert np.isnan(metrics["ratio"][1]) and metrics["largest"][1] == ""


def test_metrics_are_of_the_compared_classes() -> None:
    metrics = imbalance_metrics(_two_datasets(), THREE).set_index("dataset")
    assert metrics["ratio"].tolist() == pytest.approx([3, 8])
    assert metrics.loc["one", "largest"] == "happiness" and metrics.loc["other", "largest"] == "anger"
    assert metrics["accuracy"].tolist() == pytest.approx([0.6, 0.8])
    assert metrics["balanced_accuracy"].tolist() == pytest.approx([1 / 3] * 2)
    assert metrics["macro_f1"].tolist() == pytest.approx([2 * 0.6 / 1.6 / 3, 2 * 0.8 / 1.8 / 3])
    assert metrics.loc["one", "entropy_01"] > metrics.loc["other", "entropy_01"]
    assert metrics.loc["one", "gini"] < metrics.loc["other", "gini"]


def test_long_names_are_shortened_in_the_legend_and_whole_where_there_is_room() -> None:
    name = "A dataset with a title that does not end, published"
    figure = class_comparison(class_shares({name: _table(1, 2)}, EIGHT))
    assert len(figure.data[0].name) <= 30 and figure.data[0].name.endswith("published")
    assert figure.data[0].hovertext[0].replace("<br>", " ").startswith(name)


def test_more_datasets_make_the_chart_higher() -> None:
    tables = {f"dataset number {number}": _table(1, 2) for number in range(DATASETS_MAX)}
    heights = [
        class_comparison(class_shares(dict(list(tables.items())[:n]), EIGHT)).layout.height
        for n in range(1, DATASETS_MAX + 1)
    ]
    assert heights == sorted(set(heights))


def test_without_datasets_the_figure_shows_why() -> None:
    figure = class_comparison(class_shares({}, EIGHT))
    assert not figure.data and figure.layout.annotations[0].text
