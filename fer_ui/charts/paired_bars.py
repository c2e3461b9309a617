"""One or two horizontal bars for each class: before (hatched) and after (solid)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_ui.charts.layout import (
    BAR_GAP_PX,
    BAR_PX,
    LEGEND_PX,
    apply_layout,
    expression_marker,
    style_class_bars,
)
from fer_ui.formatting import format_percent
from fer_ui.theme import expression_title


class BarSeries(NamedTuple):
    """One bar for each class: lengths, labels behind the bars, and hover texts."""

    name: str
    lengths: Sequence[float]
    texts: Sequence[str]
    hovers: Sequence[str]


def share_series(name: str, expressions: Sequence[Expression], shares: Sequence[float], of: str) -> BarSeries:
    """Build a series of shares (0..1), in percent; `of` says in the hover texts what they are shares of."""
    texts = [format_percent(share) for share in shares]
    hovers = [f"{expression_title(e)}: {text} of {of}" for e, text in zip(expressions, texts, strict=True)]
    return BarSeries(name, [100 * share for share in shares], texts, hovers)


def paired_bars(
    expressions: Sequence[Expression], bars: Sequence[BarSeries], *, title: str, subtitle: str, axis_title: str
) -> go.Figure:
    """Plot one or two series; the last one is solid, the one before it hatched.

    Args:
        expressions: the classes, one or more, from top to bottom.
        bars: each with one entry for each class.
        axis_title: plain text.
    """
    figure = go.Figure([_trace(expressions, series, hatched=series is not bars[-1]) for series in bars])
    figure.update_layout(
        barmode="group", bargap=BAR_GAP_PX / (BAR_GAP_PX + BAR_PX * len(bars)), showlegend=len(bars) > 1
    )
    style_class_bars(figure, max(max(series.lengths) for series in bars) or 1, title_text=axis_title)
    rows_px = len(expressions) * (BAR_GAP_PX + BAR_PX * len(bars)) + LEGEND_PX * (len(bars) > 1)
    return apply_layout(figure, title=title, subtitle=subtitle, height_px=rows_px + 84)


def _trace(expressions: Sequence[Expression], bars: BarSeries, *, hatched: bool) -> go.Bar:
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
        marker=expression_marker(expressions, "/" if hatched else ""),
    )
