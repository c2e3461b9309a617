"""The layout that all charts share: title and subtitle, margins, legend, no zoom, a download button.

Grid and background have no color here: Streamlit's chart theme takes them from the page's theme, so a downloaded
picture has the page's background. Text has one, because that theme's gray is too faint on white (3.7 to 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from fer_core.labels import Expression
from fer_ui.formatting import format_compact_count, format_hover, format_images
from fer_ui.theme import TEXT, expression_color, expression_outline, expression_title

_LINE_CHARACTERS = 58
_TOP_PX = 16
"""Room above the plot. The legend is below the plot, so that they don't collide on a phone."""

LEGEND_PX = 26

_SIDE_PX = 8
"""A downloaded picture uses the system's font, which can be wider than the page's."""

PERCENT_TICKS = {"tickformat": "~%", "labelalias": {f"{n / 2:g}%": f"{n / 2:g} %" for n in range(201)}}
"""Ticks of shares (0..1) written as elsewhere: "70 %"."""

SHARE_AXIS = {**PERCENT_TICKS, "autorangeoptions": {"clipmin": 0, "clipmax": 1}}
"""An axis of shares that shows the range of its values, but nothing below 0 % or above 100 %."""

SHARE_TICKS = {"tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"]}
"""The ticks of an axis of shares, 0..1."""

BAR_PX = 20
BAR_GAP_PX = 10


class Titles(NamedTuple):
    """A chart's title and the conclusion below it."""

    title: str
    subtitle: str


def apply_layout(figure: go.Figure, *, title: str, subtitle: str = "", height_px: int) -> go.Figure:
    """Give `figure` the common layout and its titles, and return it.

    Args:
        figure: changed in place; its hover texts are plain text.
        title: names the chart; plain text.
        subtitle: what to conclude; plain text.
        height_px: of plot, axes and legend, without the titles.
    """
    subtitle_lines = "<br>".join(escape(line) for line in wrap(subtitle, _LINE_CHARACTERS))
    figure.update_layout(
        title={
            "text": escape(title),
            "subtitle": {"text": subtitle_lines, "font": {"size": 13}},
            "yref": "container",
            "automargin": True,
        },
        meta={"title": title, "subtitle": subtitle},
        height=height_px,
        margin={"l": _SIDE_PX, "r": _SIDE_PX, "t": _TOP_PX, "b": 8},
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
        },
        dragmode=False,
        hovermode="closest",
        hoverlabel={"align": "left", "font": {"color": TEXT}},
        font={"color": TEXT},
        separators=".,",
    )
    for update_axes in (figure.update_xaxes, figure.update_yaxes):
        update_axes(fixedrange=True, showspikes=False, tickfont_color=TEXT, title_font={"color": TEXT, "size": 13})
    return figure.for_each_trace(_format_hover_text)


def _format_hover_text(trace: Any) -> None:
    """Show a trace's hover text, escaped and wrapped; no hover label without one."""
    text = trace.hovertext
    trace.hoverinfo = "skip" if text is None else "text"
    if text is not None:
        trace.hovertext = format_hover(text) if isinstance(text, str) else list(map(format_hover, text))


def get_titles(figure: go.Figure) -> Titles:
    """Get the title and subtitle that `apply_layout` gave to `figure`, as plain text."""
    meta = figure.layout.meta or {}
    return Titles(meta.get("title", ""), meta.get("subtitle", ""))


def chart_config(file_name: str) -> dict[str, Any]:
    """Build Plotly's configuration: buttons for download and full screen that show on hovering, and no zoom.

    Args:
        file_name: of the downloaded picture, without its extension.
    """
    return {
        "displayModeBar": "hover",
        "displaylogo": False,
        "scrollZoom": False,
        "doubleClick": False,
        "modeBarButtonsToRemove": [
            "zoom2d",
            "pan2d",
            "select2d",
            "lasso2d",
            "zoomIn2d",
            "zoomOut2d",
            "autoScale2d",
            "resetScale2d",
        ],
        "toImageButtonOptions": {"format": "png", "filename": f"ferscope-{file_name}", "scale": 2},
    }


def empty_figure(title: str, reason: str) -> go.Figure:
    """Build a figure that shows only why there is nothing to draw."""
    figure = go.Figure()
    figure.add_annotation(text=escape(reason), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font_size=14)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return apply_layout(figure, title=title, height_px=160)


def expression_marker(expressions: Sequence[Expression], pattern: str = "") -> dict[str, Any]:
    """Build the marker of bars that have a color for each expression, with an outline that shows on white.

    Args:
        pattern: Plotly's hatching, "" for a solid fill.
    """
    return {
        "color": [expression_color(expression) for expression in expressions],
        "line": {"color": [expression_outline(expression) for expression in expressions], "width": 1},
        "pattern": {"shape": pattern, "size": 6, "solidity": 0.35, "fillmode": "replace"},
    }


def style_class_bars(figure: go.Figure, axis_end: float, **xaxis: Any) -> None:
    """Style the axes of horizontal bars: the first class on top, lengths from 0 to `axis_end`.

    The axis ends with the longest bar: `bar_chart.js` reserves the room for the labels behind the bars.
    """
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False)
    number_format = "~s" if axis_end >= 100_000 else ",~r"
    figure.update_xaxes(range=[0, axis_end], nticks=5, tickformat=number_format, title_standoff=8)
    figure.update_xaxes(showgrid=True, zeroline=False, ticks="")
    figure.update_xaxes(xaxis)


def label_rows(figure: go.Figure, names: Sequence[str]) -> None:
    """Label the rows 0, 1, … of a figure, the first on top."""
    figure.update_yaxes(range=[len(names) - 0.5, -0.5], tickvals=list(range(len(names))), ticktext=names)
    figure.update_yaxes(ticks="", showgrid=False, zeroline=False)


def text_trace(x: ArrayLike, y: Sequence[Any], texts: Sequence[str], **options: Any) -> go.Scatter:
    """Build a trace that writes texts, to the right of their points by default; not in the legend."""
    options = {"textposition": "middle right", **options}
    return go.Scatter(x=x, y=list(y), mode="text", text=texts, cliponaxis=False, showlegend=False, **options)


def whiskers(values: ArrayLike, low: ArrayLike, high: ArrayLike, color: str) -> dict[str, Any]:
    """Build the error bars of intervals around values; none where an end is NaN."""
    ends = {"array": np.subtract(high, values), "arrayminus": np.subtract(values, low)}
    known = {name: np.nan_to_num(lengths) for name, lengths in ends.items()}
    return {"type": "data", "symmetric": False, **known, "thickness": 1.4, "width": 3, "color": color}


def class_tick(expression: Expression, support: int) -> str:
    """Build an axis label of a class: its name and, on a second smaller line, how many images it has."""
    number = format_images(support) if support < 10**5 else f"{format_compact_count(support)} images"
    return f"{expression_title(expression)}<br><span style='font-size:11px'>{number}</span>"
