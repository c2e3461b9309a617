"""Precision, recall and F1 of each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_core.metrics import FEW_IMAGES, RANKED_IMAGES_MIN, Metrics
from fer_core.text import join_words
from fer_ui.charts.few_images import describe_unranked
from fer_ui.charts.layout import (
    LEGEND_PX,
    SHARE_TICKS,
    apply_layout,
    class_tick,
    empty_figure,
    expression_marker,
    label_rows,
    text_trace,
    whiskers,
)
from fer_ui.formatting import format_images, format_interval, format_percent
from fer_ui.theme import TEXT, expression_color, rgb

TITLE = "Precision, recall and F1 by class"
COLUMNS = ("expression", "support", "precision", "recall", "recall_low", "recall_high", "f1")

_METRICS = ("precision", "recall", "f1")
_NAMES = {"precision": "precision", "recall": "recall", "f1": "F1"}
_F1_OPACITY = 0.2
"""Recall, the most important metric here, is solid; precision is hatched, F1 nearly transparent."""

_BAR_PX = 15
_ROW_GAP_PX = 12
_BAR_ROWS = _BAR_PX / (_BAR_PX * len(_METRICS) + _ROW_GAP_PX)


def metrics_table(metrics: Metrics, labels: Sequence[Expression]) -> pd.DataFrame:
    """Tabulate the metrics of each class, for `st.dataframe` and `class_metrics_bars`.

    Columns are `COLUMNS`; shares are 0..1. Undefined metrics are NaN, not zero: recall and F1 of a class without
    images, precision of a class that is never predicted.
    """
    rows = [
        (expression.value, each.support, each.precision, each.recall, *each.recall_interval, each.f1)
        for expression, each in zip(labels, metrics.per_class, strict=True)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"support": "int64"})
    table.loc[metrics.confusion.sum(axis=0) == 0, "precision"] = np.nan
    table.loc[table["support"] == 0, ["recall", "recall_low", "recall_high", "f1"]] = np.nan
    return table


def class_metrics_bars(table: pd.DataFrame) -> go.Figure:
    """Plot `metrics_table`: three bars for each class with their numbers, recall with its 95 % interval."""
    if table.empty:
        return empty_figure(TITLE, "There are no classes to show.")
    expressions = [Expression(value) for value in table["expression"]]
    figure = go.Figure()
    for index, metric in enumerate(_METRICS):
        rows = [row + (index - 1) * _BAR_ROWS for row in range(len(table))]
        figure.add_trace(_bars(table, expressions, metric, rows))
        figure.add_trace(_bar_labels(table, metric, rows))
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(range=[0, 1], **SHARE_TICKS, showgrid=True, ticks="")
    names = [class_tick(e, int(support)) for e, support in zip(expressions, table["support"], strict=True)]
    label_rows(figure, names)
    rows_px = len(table) * (_BAR_PX * len(_METRICS) + _ROW_GAP_PX)
    return apply_layout(figure, title=TITLE, subtitle=describe_metrics(table), height_px=rows_px + 70 + LEGEND_PX)


def describe_metrics(table: pd.DataFrame) -> str:
    """Describe the best and the lowest recall, and which classes have few images or none.

    Classes of fewer than `RANKED_IMAGES_MIN` images are neither the best nor the lowest.
    """
    labeled = table[table["recall"].notna()]
    if labeled.empty:
        return "No class has images."
    sentences = [_describe_extremes(labeled[labeled["support"] >= RANKED_IMAGES_MIN])]
    few = labeled[labeled["support"].between(RANKED_IMAGES_MIN, FEW_IMAGES - 1)]["expression"].tolist()
    if few:
        sentences.append(f"Fewer than {FEW_IMAGES} images of {join_words(few)}: mind the interval.")
    supports = zip(labeled["expression"], labeled["support"], strict=True)
    sentences.append(describe_unranked({Expression(name): int(support) for name, support in supports}))
    if missing := table[table["recall"].isna()]["expression"].tolist():
        sentences.append(f"No images of {join_words(missing, 'or')}.")
    return " ".join(filter(None, sentences))


def _describe_extremes(ranked: pd.DataFrame) -> str:
    if ranked.empty:
        return ""
    best, least = ranked.iloc[int(ranked["recall"].argmax())], ranked.iloc[int(ranked["recall"].argmin())]
    if len(ranked) == 1:
        return f"Recall of {best['expression']} is {format_percent(best['recall'])}."
    if best["recall"] == least["recall"]:
        return f"Every class has the same recall ({format_percent(best['recall'])})."
    return (
        f"Highest recall: {best['expression']} ({format_percent(best['recall'])}). "
        f"Lowest: {least['expression']} ({format_percent(least['recall'])})."
    )


def _bars(table: pd.DataFrame, expressions: list[Expression], metric: str, rows: list[float]) -> go.Bar:
    values = table[metric].to_numpy(float)
    return go.Bar(
        name=_NAMES[metric],
        orientation="h",
        x=values,
        y=rows,
        width=_BAR_ROWS * 0.92,
        error_x=whiskers(values, table["recall_low"], table["recall_high"], TEXT) if metric == "recall" else None,
        hovertext=[_hover_text(metric, row) for _, row in table.iterrows()],
        customdata=table[["expression"]].assign(metric=metric).to_numpy(),
        marker=expression_marker(expressions, "/" if metric == "precision" else "")
        | {"color": [_fill(metric, expression) for expression in expressions]},
    )


def _fill(metric: str, expression: Expression) -> str:
    red, green, blue = rgb(expression_color(expression))
    return f"rgba({red}, {green}, {blue}, {_F1_OPACITY if metric == 'f1' else 1})"


def _bar_labels(table: pd.DataFrame, metric: str, rows: list[float]) -> go.Scatter:
    """Write each bar's number behind its end or whisker, or why there is none."""
    values = table[metric].to_numpy(float)
    ends = table["recall_high"].to_numpy(float) if metric == "recall" else values
    absent = {"precision": "never predicted", "recall": "no images", "f1": ""}
    texts = [absent[metric] if np.isnan(value) else format_percent(value) for value in values.tolist()]
    return text_trace(np.nan_to_num(ends), rows, texts, textfont={"size": 11})


def _hover_text(metric: str, row: pd.Series) -> str:
    name, value = row["expression"], float(row[metric])
    if np.isnan(value):
        return f"No image is predicted as {name}" if metric == "precision" else f"There are no images of {name}"
    if metric == "precision":
        return f"Precision: {format_percent(value)} of the images predicted as {name} are labeled {name}"
    if metric == "f1":
        return f"F1 of {name}: {format_percent(value)}"
    span = format_interval(row["recall_low"], row["recall_high"])
    return (
        f"Recall: {format_percent(value)} of {format_images(row['support'])} labeled {name} are predicted as such "
        f"(95 %: {span})"
    )
