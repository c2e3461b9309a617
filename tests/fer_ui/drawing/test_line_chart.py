"""Figures of lines as the browser draws them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from fer_ui.charts.layout import SHARE_AXIS, apply_layout
from fer_ui.charts.training.loss_and_scores import learning_curves
from fer_ui.drawing.line_chart import line_chart_data

EPOCHS = 12
METRICS = pd.DataFrame(
    {
        "epoch": range(1, EPOCHS + 1),
        "train_loss": np.linspace(1.6, 0.3, EPOCHS),
        "valid_loss": np.linspace(1.5, 0.9, EPOCHS),
        "valid_macro_f1": [0.2, 0.3, np.nan, 0.4, 0.5, 0.6, 0.58, 0.57, 0.5, 0.5, 0.5, 0.5],
        "train_macro_f1": np.linspace(0.2, 0.9, EPOCHS),
    }
)


def _data(figure: go.Figure) -> dict[str, Any]:
    data = line_chart_data(figure)
    assert data is not None
    json.dumps(data, allow_nan=False)
    return data


def test_points_are_placed_on_both_axes() -> None:
    training, validation = _data(learning_curves(METRICS).loss)["lines"]
    for line in (training, validation):
        assert len(line["points"]) == EPOCHS
        steps = np.diff([point["x"] for point in line["points"]])
        assert steps == pytest.approx(steps[0]) and steps[0] > 0
    assert training["points"][0]["y"] / validation["points"][0]["y"] == pytest.approx(1.6 / 1.5), "from 0 upwards"
    assert all(0 < point["y"] < 1 for line in (training, validation) for point in line["points"])
    assert training["points"][-1]["hint"] == "Epoch 12, training: 0.300"


def test_a_gap_ends_a_line_and_the_next_point_starts_another() -> None:
    line = next(line for line in _data(learning_curves(METRICS).scores)["lines"] if line["dash"] == "solid")
    assert len(line["points"]) == EPOCHS - 1
    assert [index for index, point in enumerate(line["points"]) if point["starts"]] == [0, 2]


def test_the_best_epoch_is_a_rule_with_its_note() -> None:
    data = _data(learning_curves(METRICS, best_epoch=6).scores)
    (rule,), (note,) = data["rules"], data["notes"]
    points = next(line for line in data["lines"] if line["dash"] == "dash")["points"]
    assert rule["at"] == note["x"] == pytest.approx(points[5]["x"])
    assert (note["text"], note["y"], note["anchor"]) == ("best: epoch 6", 0, "start")


def test_epochs_of_overfitting_are_a_band_up_to_the_end() -> None:
    metrics = METRICS.assign(valid_loss=[1.5, 1.2, 1.0, *np.linspace(1.1, 2.4, EPOCHS - 3)])
    (band,) = _data(learning_curves(metrics).loss)["bands"]
    assert 0 < band["from"] < band["to"] == 1 and band["opacity"] < 0.5


def test_the_legend_has_an_entry_without_points_for_the_dashes() -> None:
    legend = _data(learning_curves(METRICS).scores)["legend"]
    assert [(entry["name"], entry["dash"]) for entry in legend] == [("macro-F1", "solid"), ("training", "dash")]


def test_shares_are_written_in_percent_and_stay_between_0_and_100() -> None:
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0.985, 1.0], mode="lines")).update_yaxes(**SHARE_AXIS)
    data = _data(apply_layout(figure, title="Accuracy", height_px=200))
    assert all(tick["text"].endswith(" %") for tick in data["y_ticks"])
    assert data["lines"][0]["points"][1]["y"] == 1, "nothing lies above 100 %"


def test_whiskers_surround_their_points_within_the_plot() -> None:
    error = {"type": "data", "array": [0.2, 0.1], "arrayminus": [0.1, 0.3]}
    figure = go.Figure(go.Scatter(x=[0, 1], y=[1, 2], mode="markers", error_y=error))
    for point in _data(apply_layout(figure, title="", height_px=200))["lines"][0]["points"]:
        assert 0 < point["low"] < point["y"] < point["high"] < 1


def test_other_figures_are_left_to_plotly() -> None:
    panels = make_subplots(rows=1, cols=2).add_scatter(x=[1], y=[1], mode="lines", row=1, col=2)
    assert line_chart_data(panels) is None
    assert line_chart_data(go.Figure(go.Scatter(x=[1, 2], y=[1, 2], mode="lines", fill="tozeroy"))) is None
    assert line_chart_data(go.Figure(go.Heatmap(z=[[1]]))) is None
    assert line_chart_data(go.Figure()) is None
