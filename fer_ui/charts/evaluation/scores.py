"""Scores on one axis with their intervals, and what people reach on the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from fer_core.intervals import Interval
from fer_ui.charts.layout import SHARE_TICKS, apply_layout, label_rows, text_trace, whiskers
from fer_ui.formatting import format_interval, format_percent
from fer_ui.theme import SERIES, TEXT

TITLE = "Scores with 95 % intervals"
_ROW_PX = 40


class ScoreRow(NamedTuple):
    """A score on the axis from 0 to 1; `people` is what annotators reach by the same measure, if known."""

    name: str
    value: float
    interval: Interval
    people: Mapping[str, float] = {}


def scores_chart(rows: Sequence[ScoreRow], subtitle: str) -> go.Figure:
    """Plot each score as a dot with its interval, and what annotators reach as diamonds in its row.

    Args:
        rows: at least one; from top to bottom.
    """
    places = list(range(len(rows)))
    values, low, high = ([row.value for row in rows], *([row.interval[end] for row in rows] for end in (0, 1)))
    dots = go.Scatter(
        name="model",
        x=values,
        y=places,
        mode="markers",
        marker={"color": SERIES[0], "size": 10},
        error_x=whiskers(values, low, high, SERIES[0]),
        hovertext=[f"{row.name}: {format_percent(row.value)} (95 %: {format_interval(*row.interval)})" for row in rows],
    )
    ends = [max([end, *row.people.values()]) for row, end in zip(rows, high, strict=True)]
    figure = go.Figure([dots, text_trace(ends, places, [f" {format_percent(value)}" for value in values])])
    people = [(place, name, value) for place, row in enumerate(rows) for name, value in row.people.items()]
    for number, kind in enumerate(dict.fromkeys(name for _, name, _ in people)):
        figure.add_trace(_people(kind, [(place, value) for place, name, value in people if name == kind], number))
    figure.update_xaxes(range=[0, 1], **SHARE_TICKS, showgrid=True, ticks="")
    label_rows(figure, [row.name for row in rows])
    figure.update_layout(showlegend=bool(people))
    return apply_layout(figure, title=TITLE, subtitle=subtitle, height_px=len(rows) * _ROW_PX + 80)


def _people(kind: str, points: Sequence[tuple[int, float]], number: int) -> go.Scatter:
    return go.Scatter(
        name=kind,
        x=[value for _, value in points],
        y=[place for place, _ in points],
        mode="markers",
        marker={"color": (SERIES[3], SERIES[2], TEXT, SERIES[4])[number % 4], "symbol": "diamond", "size": 11},
        hovertext=[f"{kind}: {format_percent(value)}" for _, value in points],
    )
