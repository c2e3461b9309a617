"""How far voters agree: how many of an image's votes its label holds."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_ui.charts.layout import LEGEND_PX, apply_layout, empty_figure
from fer_ui.formatting import count, hover, images, percent
from fer_ui.theme import (
    expression_color,
    expression_outline,
    expression_title,
    sequential_scale,
    text_on_scale,
)

TITLE = "How many of {of} votes the label holds"
BY_EXPRESSION_TITLE = "How far voters agree on each expression"
_NOTHING = "No image has a label that its votes decide."
_HEIGHT_PX = 330
_ROW_PX = 34
_WRITTEN_01 = 0.09
"""A part that is smaller has no room for its number on a phone."""


def agreement_histogram_bars(histogram: pd.DataFrame) -> go.Figure:
    """Draw `agreement.agreement_histogram`: a column a number of votes, stacked by expression."""
    if not histogram["count"].sum():
        return empty_figure(TITLE.format(of="an image's"), _NOTHING)
    of = int(histogram["of"].iloc[0])
    figure = go.Figure()
    for expression in Expression:
        rows = histogram[histogram["expression"] == expression.value]
        if not rows["count"].sum():
            continue
        figure.add_bar(
            name=expression_title(expression),
            x=rows["votes"].tolist(),
            y=rows["count"].tolist(),
            hoverinfo="text",
            hovertext=[_hover_words(expression, votes, of, n) for votes, n in _pairs(rows)],
            marker={
                "color": expression_color(expression),
                "line": {"color": expression_outline(expression), "width": 1},
            },
        )
    figure.update_layout(barmode="stack", bargap=0.2, showlegend=True, legend_traceorder="normal")
    figure.update_xaxes(
        title_text=f"votes for the label, of {of}", title_standoff=8, dtick=1, showgrid=False, ticks="", zeroline=False
    )
    figure.update_yaxes(title_text="images", nticks=6, tickformat="~s", showgrid=True, zeroline=False, ticks="")
    return apply_layout(
        figure,
        title=TITLE.format(of=_number(of)),
        subtitle=describe_agreement(histogram),
        height_px=_HEIGHT_PX + 2 * LEGEND_PX,
    )


def agreement_by_expression(histogram: pd.DataFrame) -> go.Figure:
    """Draw the same a row an expression, so that rare ones are seen: the parts of its images by number of votes."""
    table = _table(histogram)
    if table.empty:
        return empty_figure(BY_EXPRESSION_TITLE, _NOTHING)
    of = int(histogram["of"].iloc[0])
    expressions = [Expression(name) for name in table.index]
    totals = table.sum(axis=1)
    names = [
        f"{expression_title(expression)}<br><span style='font-size:11px'>{images(int(total))}</span>"
        for expression, total in zip(expressions, totals, strict=True)
    ]
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
            text=[percent(share, 0) if share >= _WRITTEN_01 else "" for share in shares],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"size": 11, "color": text_on_scale(color_01)},
            hoverinfo="text",
            hovertext=[
                _hover_words(expression, votes, of, n, total)
                for expression, n, total in zip(expressions, counts, totals.tolist(), strict=True)
            ],
            marker={"color": _color(color_01), "line": {"width": 0}},
        )
    figure.update_layout(barmode="stack", bargap=0.24, showlegend=True)
    figure.update_layout(legend={"title": {"text": f"votes of {of} "}, "traceorder": "normal"})
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False)
    figure.update_xaxes(range=[0, 100], ticksuffix=" %", nticks=5, showgrid=False, zeroline=False, ticks="")
    height_px = _ROW_PX * len(expressions) + 70 + 2 * LEGEND_PX
    return apply_layout(
        figure, title=BY_EXPRESSION_TITLE, subtitle=describe_agreement_by_expression(histogram), height_px=height_px
    )


def describe_agreement(histogram: pd.DataFrame) -> str:
    """How many labels all voters agree on, and how many have no more than half of the votes."""
    total = int(histogram["count"].sum())
    if not total:
        return _NOTHING
    of = int(histogram["of"].iloc[0])
    unanimous = int(histogram.loc[histogram["votes"] == of, "count"].sum())
    narrow = int(histogram.loc[2 * histogram["votes"] <= of, "count"].sum())
    return (
        f"All voters agree on {percent(unanimous / total)} of {count(total)} labels; {percent(narrow / total)} of them "
        "hold half of the votes or fewer, so that most voters, or as many, saw something else."
    )


def describe_agreement_by_expression(histogram: pd.DataFrame) -> str:
    """On which expression voters agree most, and on which least."""
    table = _table(histogram)
    if table.empty:
        return _NOTHING
    of = int(histogram["of"].iloc[0])
    mean = (table * table.columns.to_numpy(float)).sum(axis=1) / table.sum(axis=1)
    most, least = str(mean.idxmax()), str(mean.idxmin())
    if len(mean) == 1:
        return f"In the mean {mean[most]:.1f} of {of} votes are for the label."
    return (
        f"Voters agree most on {most} (in the mean {mean[most]:.1f} of {of} votes) and least on {least} "
        f"({mean[least]:.1f}): there the label says least of what people see."
    )


def _table(histogram: pd.DataFrame) -> pd.DataFrame:
    """Images, a row an expression that has some, in the fixed order, and a column a number of votes."""
    table = histogram.pivot_table(index="expression", columns="votes", values="count", aggfunc="sum", fill_value=0)
    return table.loc[[name for name in map(str, Expression) if name in table.index and table.loc[name].any()]]


def _pairs(rows: pd.DataFrame) -> list[tuple[int, int]]:
    return [(int(votes), int(n)) for votes, n in zip(rows["votes"], rows["count"], strict=True)]


def _hover_words(expression: Expression, votes: int, of: int, number: int, total: int = 0) -> str:
    verb, votes_are = ("has" if number == 1 else "have"), ("vote" if votes == 1 else "votes")
    share = f" ({percent(number / total)})" if total else ""
    return hover(f"{images(number)} labeled {expression.value}{share} {verb} {votes} of {of} {votes_are} for it")


def _color(value_01: float) -> str:
    """A step of the scale, so that all the votes go through all of it."""
    colors = [color for _, color in sequential_scale()]
    return colors[min(int(value_01 * len(colors)), len(colors) - 1)]


def _number(of: int) -> str:
    return "ten" if of == 10 else str(of)
