"""Annotator agreement: how many of an image's votes are for its label."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_core.metrics import RANKED_IMAGES_MIN
from fer_ui.charts.layout import (
    LEGEND_PX,
    apply_layout,
    class_tick,
    empty_figure,
    style_class_bars,
)
from fer_ui.formatting import format_count, format_images, format_percent
from fer_ui.theme import (
    expression_color,
    expression_outline,
    expression_title,
    sequential_scale,
    text_on_scale,
)

TITLE = "Annotator agreement"
BY_EXPRESSION_TITLE = "Annotator agreement by expression"
_NO_LABELS = "No image has a label decided by its votes."
_ROW_PX = 34
_LABELED_MIN_01 = 0.12
"""A smaller segment has no room for its number on a phone."""


def agreement_histogram_bars(histogram: pd.DataFrame) -> go.Figure:
    """Plot `agreement.agreement_histogram`: one row for each number of votes, stacked by expression.

    A bar's `customdata` is its expression and number of votes.
    """
    if not histogram["count"].sum():
        return empty_figure(TITLE, _NO_LABELS)
    of = int(histogram["of"].iloc[0])
    figure = go.Figure()
    for expression in Expression:
        rows = histogram[histogram["expression"] == expression.value]
        if not rows["count"].sum():
            continue
        figure.add_bar(
            name=expression_title(expression),
            orientation="h",
            y=[f"{votes} of {of}" for votes in rows["votes"]],
            x=rows["count"].tolist(),
            customdata=[[expression.value, int(votes)] for votes in rows["votes"]],
            hovertext=[
                _hover_text(expression, votes, of, n) for votes, n in zip(rows["votes"], rows["count"], strict=True)
            ],
            marker={
                "color": expression_color(expression),
                "line": {"color": expression_outline(expression), "width": 1},
            },
        )
    figure.update_layout(barmode="stack", bargap=0.24, showlegend=True, legend_traceorder="normal")
    longest = int(histogram.groupby("votes")["count"].sum().max())
    style_class_bars(figure, longest, dtick=1 if longest < 5 else None, title_text="images")
    rows_px = _ROW_PX * histogram["votes"].nunique()
    subtitle = describe_agreement(histogram)
    return apply_layout(figure, title=TITLE, subtitle=subtitle, height_px=rows_px + 84 + LEGEND_PX)


def agreement_by_expression(histogram: pd.DataFrame) -> go.Figure:
    """Plot, for each expression, the shares of its images by number of votes, so that rare ones are visible."""
    table = _table(histogram)
    if table.empty:
        return empty_figure(BY_EXPRESSION_TITLE, _NO_LABELS)
    of = int(histogram["of"].iloc[0])
    expressions = [Expression(name) for name in table.index]
    totals = table.sum(axis=1)
    names = [class_tick(expression, int(total)) for expression, total in zip(expressions, totals, strict=True)]
    figure = go.Figure()
    for votes in map(int, table.columns.to_numpy()):
        color_01 = (votes - 0.5) / of
        counts = table[votes].tolist()
        shares = (table[votes] / totals).tolist()
        figure.add_bar(
            name=str(votes),
            orientation="h",
            y=names,
            x=[100 * share for share in shares],
            customdata=[[expression.value, votes] for expression in expressions],
            text=[format_percent(share) if share >= _LABELED_MIN_01 else "" for share in shares],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"size": 11, "color": text_on_scale(color_01)},
            hovertext=[
                _hover_text(expression, votes, of, n, total)
                for expression, n, total in zip(expressions, counts, totals.tolist(), strict=True)
            ],
            marker={"color": _color(color_01), "line": {"width": 0}},
        )
    figure.update_layout(barmode="stack", bargap=0.24, showlegend=True)
    figure.update_layout(legend={"title": {"text": f"votes (of {of}) "}, "traceorder": "normal"})
    style_class_bars(figure, 100, ticksuffix=" %", showgrid=False)
    height_px = _ROW_PX * len(expressions) + 70 + 2 * LEGEND_PX
    return apply_layout(
        figure, title=BY_EXPRESSION_TITLE, subtitle=describe_agreement_by_expression(histogram), height_px=height_px
    )


def describe_agreement(histogram: pd.DataFrame) -> str:
    """Describe how many labels are unanimous, and how many have at most half of the votes."""
    total = int(histogram["count"].sum())
    if not total:
        return _NO_LABELS
    of = int(histogram["of"].iloc[0])
    unanimous = int(histogram.loc[histogram["votes"] == of, "count"].sum())
    narrow = int(histogram.loc[2 * histogram["votes"] <= of, "count"].sum())
    return (
        f"{format_percent(unanimous / total)} of {format_count(total)} labels are unanimous; "
        f"{format_percent(narrow / total)} have at most half of the votes."
    )


def describe_agreement_by_expression(histogram: pd.DataFrame) -> str:
    """Describe on which expression annotators agree most and least."""
    table = _table(histogram)
    if table.empty:
        return _NO_LABELS
    of = int(histogram["of"].iloc[0])
    mean = (table * table.columns.to_numpy(float)).sum(axis=1) / table.sum(axis=1)
    if len(mean) == 1:
        return f"On average, {mean.iloc[0]:.1f} of {of} votes are for the label."
    mean = mean[table.sum(axis=1) >= RANKED_IMAGES_MIN]
    if len(mean) < 2:
        return f"Fewer than two expressions have {RANKED_IMAGES_MIN} labels, too few to compare."
    most, least = str(mean.idxmax()), str(mean.idxmin())
    return (
        f"Annotators agree most on {most} ({mean[most]:.1f} of {of} votes on average) and least on {least} "
        f"({mean[least]:.1f})."
    )


def _table(histogram: pd.DataFrame) -> pd.DataFrame:
    """Count images by expression (rows, in the fixed order, those that have some) and number of votes (columns)."""
    table = histogram.pivot_table(index="expression", columns="votes", values="count", aggfunc="sum", fill_value=0)
    return table.loc[[name for name in map(str, Expression) if name in table.index and table.loc[name].any()]]


def _hover_text(expression: Expression, votes: int, of: int, number: int, total: int = 0) -> str:
    share = f" ({format_percent(number / total)})" if total else ""
    return f"{expression_title(expression)}, {votes} of {of} votes: {format_images(number)}{share}"


def _color(value_01: float) -> str:
    """Pick one of the scale's steps, so that the vote counts span the whole scale."""
    colors = [color for _, color in sequential_scale()]
    return colors[min(int(value_01 * len(colors)), len(colors) - 1)]
