"""The scores of several models, each with its 95 % interval."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from fer_core.evaluation.report_schema import StoredReport
from fer_core.metrics import HEADLINE_METRICS, METRIC_TITLES, MetricName
from fer_core.text import shorten
from fer_ui.charts.layout import LEGEND_PX, SHARE_TICKS, apply_layout, empty_figure, label_rows, whiskers
from fer_ui.formatting import format_interval, format_percent
from fer_ui.theme import SERIES

TITLE = "Scores of the models"
COLUMNS = ("model", "test_set", "metric", "value", "low", "high")

_ROW_PX = 54
_STEP = 0.24
_NAME_CHARACTERS = 34
_STYLES: dict[MetricName, tuple[str, str]] = {
    "macro_f1": ("circle", SERIES[0]),
    "balanced_accuracy": ("diamond", SERIES[2]),
    "accuracy": ("square-open", SERIES[1]),
}


class ScoredModel(NamedTuple):
    """A model's title, what it was tested on, and its report."""

    title: str
    test_set: str
    report: StoredReport


def scores_table(models: list[ScoredModel]) -> pd.DataFrame:
    """Tabulate the headline metrics (0..1), a row for each model and metric."""
    rows = [
        (model.title, model.test_set, str(name), model.report.scores[name], *model.report.intervals[name])
        for model in models
        for name in HEADLINE_METRICS
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def model_scores(models: list[ScoredModel]) -> go.Figure:
    """Plot each model's macro-F1, balanced accuracy and accuracy with their intervals, a row for each model.

    Where accuracy lies far right of the other two, it hides expressions that are rarely recognized.
    """
    if not models:
        return empty_figure(TITLE, "No model has been evaluated yet.")
    figure = go.Figure()
    for offset, name in enumerate(HEADLINE_METRICS):
        figure.add_trace(_points(models, name, (offset - 1) * _STEP))
    figure.update_xaxes(range=[0, 1.02], **SHARE_TICKS, showgrid=True, zeroline=False, ticks="")
    label_rows(figure, [_row_name(model) for model in models])
    figure.update_layout(showlegend=True)
    return apply_layout(
        figure, title=TITLE, subtitle=describe_scores(models), height_px=_ROW_PX * len(models) + 60 + LEGEND_PX
    )


def describe_scores(models: list[ScoredModel]) -> str:
    """Name the model whose accuracy hides most: where it is farthest above the balanced accuracy."""
    if not models:
        return ""
    most = max(models, key=lambda model: model.report.accuracy - model.report.balanced_accuracy)
    gap = (most.report.accuracy - most.report.balanced_accuracy) * 100
    if gap < 1:
        return "Accuracy and balanced accuracy agree for every model."
    return f"Accuracy hides most for {most.title}: it is {gap:.1f} points above the balanced accuracy."


def _points(models: list[ScoredModel], name: MetricName, offset: float) -> go.Scatter:
    symbol, color = _STYLES[name]
    values = [model.report.scores[name] for model in models]
    low, high = zip(*(model.report.intervals[name] for model in models), strict=True)
    return go.Scatter(
        name=METRIC_TITLES[name].lower().replace("f1", "F1"),
        mode="markers",
        x=values,
        y=[row + offset for row in range(len(models))],
        marker={"symbol": symbol, "size": 10, "color": color, "line": {"width": 2, "color": color}},
        error_x=whiskers(values, low, high, color),
        hovertext=[
            f"{model.title}: {METRIC_TITLES[name]} {format_percent(value)} (95 %: {format_interval(*bounds)}) on "
            f"{model.test_set}"
            for model, value, bounds in zip(models, values, zip(low, high, strict=True), strict=True)
        ],
    )


def _row_name(model: ScoredModel) -> str:
    test_set = shorten(model.test_set, _NAME_CHARACTERS, "end")
    title = escape(shorten(model.title, _NAME_CHARACTERS, "end"))
    return f"{title}<br><span style='font-size:11px'>{escape(test_set)}</span>"
