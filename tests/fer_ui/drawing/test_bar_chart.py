"""Figures of bars as the browser draws them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from fer_core.labels import LABEL_SETS, Expression
from fer_core.metrics import Metrics, classification_metrics
from fer_ui.charts.distribution import class_distribution
from fer_ui.charts.per_class import class_metrics_bars, metrics_table
from fer_ui.charts.probabilities import probability_bars
from fer_ui.drawing.bar_chart import bar_chart_data

COUNTS = pd.DataFrame(
    {"expression": ["neutral", "fear"] * 2, "split": ["train"] * 2 + ["valid"] * 2, "count": [30, 10, 6, 0]}
)
LABELS = LABEL_SETS["four"].expressions


def _data(figure: go.Figure) -> dict[str, Any]:
    data = bar_chart_data(figure)
    assert data is not None
    json.dumps(data, allow_nan=False)
    return data


def _metrics(confusion: np.ndarray) -> Metrics:
    truth, predicted = (np.repeat(indices.ravel(), confusion.ravel()) for indices in np.indices(confusion.shape))
    return classification_metrics(truth, predicted, len(confusion))


def _lengths(data: dict[str, Any]) -> dict[tuple[str, ...], float]:
    return {tuple(bar["value"]): bar["to"] - bar["from"] for bar in data["bars"]}


def test_lengths_are_proportional_to_counts() -> None:
    lengths = _lengths(_data(class_distribution(COUNTS)))
    assert lengths["neutral", "train"] > 0.5
    assert lengths["neutral", "train"] == pytest.approx(3 * lengths["fear", "train"])
    assert lengths["neutral", "train"] == pytest.approx(5 * lengths["neutral", "valid"])
    assert lengths["fear", "valid"] == 0


def test_bars_of_a_class_stand_side_by_side_in_its_row() -> None:
    bars = _data(class_distribution(COUNTS))["bars"]
    assert [round(bar["row"]) for bar in bars] == [0, 0, 1, 1]
    for first, second in (bars[:2], bars[2:]):
        assert first["row"] + first["thickness"] == pytest.approx(second["row"]), "they touch and don't overlap"
    assert sum(bar["thickness"] for bar in bars[:2]) < 1, "rows have a gap"
    assert [bar["pattern"] for bar in bars[:2]] == ["", "/"]
    assert all(bar["hit"] == [0, 1] for bar in bars), "a bar that is too short to hit has its whole row"


def test_stacked_bars_begin_where_the_one_before_ends() -> None:
    bars = [bar for bar in _data(class_distribution(COUNTS, stacked=True))["bars"] if bar["row"] == 0]
    assert bars[0]["from"] == 0
    assert [bar["to"] for bar in bars[:-1]] == [bar["from"] for bar in bars[1:]]
    assert bars[-1]["fill"] is None and bars[-1]["to"] == 1, "the rest of the row counts as the class of all splits"
    assert bars[-1]["value"] == ["neutral", ""]


def test_texts_stand_at_the_ends_of_their_bars() -> None:
    data = _data(class_distribution(COUNTS))
    ends = {(bar["row"], bar["to"]) for bar in data["bars"]}
    assert {(text["row"], text["at"]) for text in data["texts"]} == ends
    assert {text["text"] for text in data["texts"]} == {"30 · 75.0 %", "10 · 25.0 %", "6 · 100.0 %", "0 · 0.0 %"}


def test_colors_follow_the_theme_where_they_are_not_those_of_expressions() -> None:
    metrics = _metrics(np.array([[8, 2, 0, 0], [1, 9, 0, 0], [0, 0, 4, 6], [0, 0, 0, 0]]))
    data = _data(class_metrics_bars(metrics_table(metrics, LABELS)))
    assert {whisker["color"] for whisker in data["whiskers"]} == {"text"}
    assert {bar["fill"] for bar in data["bars"]} >= {"rgb(140, 145, 152)"}
    opacities = {entry["name"]: entry["opacity"] for entry in data["legend"]}
    assert opacities == {"precision": 1, "recall": 1, "F1": pytest.approx(0.2)}
    assert [row["detail"] for row in data["rows"]] == ["10 images", "10 images", "10 images", "0 images"]


def test_whiskers_surround_their_bar() -> None:
    metrics = _metrics(np.diag([8, 9, 4, 3]) + 1)
    data = _data(class_metrics_bars(metrics_table(metrics, LABELS)))
    recalls = [bar for bar in data["bars"] if bar["value"][1] == "recall"]
    assert len(data["whiskers"]) == len(recalls) == 4
    for whisker, bar in zip(data["whiskers"], recalls, strict=True):
        assert whisker["row"] == bar["row"] and whisker["low"] < bar["to"] < whisker["high"]


def test_the_threshold_is_a_line_with_its_text() -> None:
    figure = probability_bars(dict.fromkeys(Expression, 1 / 8), confidence_threshold=0.5)
    data = _data(figure)
    (rule,) = data["rules"]
    assert rule["text"] == "threshold 50.0 %" and 0 < rule["at"] < 1
    assert sum(row["bold"] for row in data["rows"]) == 1


def test_hints_are_plain_text() -> None:
    figure = class_distribution(COUNTS)
    figure.data[0].hovertext = ["a &lt; b<br>and so on", "c"]
    assert _data(figure)["bars"][0]["hint"] == "a < b and so on"


def test_other_figures_are_left_to_plotly() -> None:
    panels = make_subplots(rows=1, cols=2).add_bar(x=[1], y=["a"], orientation="h", row=1, col=2)
    assert bar_chart_data(panels) is None
    assert bar_chart_data(go.Figure(go.Scatter(x=[1], y=[1], mode="lines"))) is None
    assert bar_chart_data(go.Figure(go.Bar(x=["a"], y=[1]))) is None
    assert bar_chart_data(class_distribution(COUNTS.iloc[:0])) is None, "only the reason why nothing is drawn"
