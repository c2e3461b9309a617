"""Horizontal bars a class, one or two of them: as it is, hatched, and as it becomes, solid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_ui.charts.layout import LEGEND_PX, apply_layout
from fer_ui.theme import expression_color, expression_outline, expression_title

_BAR_PX = 20
_ROW_GAP_PX = 10
_CHARACTER_PX = 6.4
_PHONE_PLOT_PX = 272


class Bars(NamedTuple):
    """One bar a class: how long, what is written at its end, and what the pointer is told."""

    name: str
    lengths: Sequence[float]
    texts: Sequence[str]
    hovers: Sequence[str]


def paired_bars(
    expressions: Sequence[Expression], bars: Sequence[Bars], *, title: str, subtitle: str, axis_title: str
) -> go.Figure:
    """Draw one or two sets of bars; the last one is solid, the one before it hatched.

    Args:
        expressions: the classes, one or more, from top to bottom.
        bars: with as many entries as there are classes.
        axis_title: what the lengths are; plain text.
    """
    figure = go.Figure([_trace(expressions, each, hatched=each is not bars[-1]) for each in bars])
    figure.update_layout(
        barmode="group", bargap=_ROW_GAP_PX / (_ROW_GAP_PX + _BAR_PX * len(bars)), showlegend=len(bars) > 1
    )
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False)
    room = 1 / (1 - min(0.5, max(len(text) for each in bars for text in each.texts) * _CHARACTER_PX / _PHONE_PLOT_PX))
    longest = max(max(each.lengths) for each in bars) or 1
    figure.update_xaxes(
        range=[0, longest * room],
        title_text=axis_title,
        title_standoff=8,
        nticks=5,
        tickformat="~s" if longest >= 100_000 else ",~r",
        showgrid=True,
        zeroline=False,
        ticks="",
    )
    rows_px = len(expressions) * (_ROW_GAP_PX + _BAR_PX * len(bars)) + LEGEND_PX * (len(bars) > 1)
    return apply_layout(figure, title=title, subtitle=subtitle, height_px=rows_px + 84, hover_rows=True)


def _trace(expressions: Sequence[Expression], bars: Bars, *, hatched: bool) -> go.Bar:
    return go.Bar(
        name=bars.name,
        orientation="h",
        y=[expression_title(expression) for expression in expressions],
        x=list(bars.lengths),
        text=list(bars.texts),
        textposition="outside",
        textangle=0,
        cliponaxis=False,
        hovertext=list(bars.hovers),
        hoverinfo="text",
        marker={
            "color": [expression_color(expression) for expression in expressions],
            "line": {"color": [expression_outline(expression) for expression in expressions], "width": 1},
            "pattern": {"shape": "/" if hatched else "", "size": 6, "solidity": 0.35, "fillmode": "replace"},
        },
    )
