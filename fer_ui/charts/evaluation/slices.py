"""Accuracy by slice, beside what the class mix of the slice alone would give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from fer_core.evaluation.analysis.comparison_text import format_p
from fer_core.evaluation.analysis.slices import Slice
from fer_core.text import format_points
from fer_ui.charts.layout import LEGEND_PX, SHARE_TICKS, apply_layout, label_rows, text_trace, whiskers
from fer_ui.formatting import format_images, format_interval, format_percent
from fer_ui.theme import SERIES

_ROW_PX = 44


def slices_chart(slices: Sequence[Slice], title: str, subtitle: str) -> go.Figure:
    """Plot each slice's accuracy with its interval, and the accuracy that its class mix alone would give.

    Args:
        slices: at least one; from top to bottom.
    """
    rows = list(range(len(slices)))
    values, low, high = [each.accuracy for each in slices], *zip(*(each.interval for each in slices), strict=True)
    dots = go.Scatter(
        name="accuracy",
        x=values,
        y=rows,
        mode="markers",
        marker={"color": SERIES[0], "size": 10},
        error_x=whiskers(values, low, high, SERIES[0]),
        hovertext=[_hover_text(each) for each in slices],
    )
    expected = go.Scatter(
        name="as its expressions elsewhere",
        x=[each.expected for each in slices],
        y=rows,
        mode="markers",
        marker={"color": SERIES[3], "symbol": "diamond-open", "size": 10},
        hovertext=[f"{each.name}: {format_percent(each.expected)} expected from its expressions" for each in slices],
    )
    ends = np.maximum(high, [each.expected for each in slices])
    figure = go.Figure([dots, expected, text_trace(ends, rows, [f" {format_percent(value)}" for value in values])])
    figure.update_xaxes(range=[0, 1], **SHARE_TICKS, title_text="Accuracy", title_standoff=8, showgrid=True, ticks="")
    names = [f"{each.name}<br><span style='font-size:11px'>{format_images(each.n)}</span>" for each in slices]
    label_rows(figure, names)
    figure.update_layout(showlegend=True)
    height = len(slices) * _ROW_PX + 84 + LEGEND_PX
    return apply_layout(figure, title=title, subtitle=subtitle, height_px=height)


def _hover_text(each: Slice) -> str:
    text = f"{each.name}: {format_percent(each.accuracy)} of {format_images(each.n)} right"
    text += f" (95 %: {format_interval(*each.interval)})"
    if np.isnan(each.difference):
        return f"{text}; too few images to compare"
    return f"{text}; {format_points(each.difference)} points from expected, {format_p(each.p)}"
