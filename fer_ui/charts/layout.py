"""What all charts share: title and subtitle in words, margins, legend, no zoom, a download button.

Grid and background keep no color of their own, as Streamlit's chart theme fills them in from the page's theme: so a
downloaded picture has the page's background and can be read anywhere. Text does, as that theme's gray is too faint on
white (3.7 to 1).
"""

from __future__ import annotations

from html import escape
from textwrap import wrap
from typing import Any, NamedTuple

import plotly.graph_objects as go

from fer_ui.theme import TEXT

_LINE_CHARACTERS = 58
_TOP_PX = 30
"""Room above the plot for the buttons; the legend is below, where it can't run into them on a phone."""

LEGEND_PX = 26

_SIDE_PX = 8
"""A downloaded picture is drawn with the system's font, whose letters can be wider than the page's."""


class Words(NamedTuple):
    """What a chart shows, and what to conclude from it."""

    title: str
    subtitle: str


def apply_layout(
    figure: go.Figure, *, title: str, subtitle: str = "", height_px: int, hover_rows: bool = False
) -> go.Figure:
    """Give `figure` the common layout and its words; returns it.

    Args:
        figure: changed in place.
        title: what the chart shows; plain text.
        subtitle: what to conclude; plain text.
        height_px: of plot, axes and legend; the words come on top where they are drawn inside the figure.
        hover_rows: a whole row answers the pointer, so that a bar too short to hit has its words too.
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
        hovermode="y unified" if hover_rows else "closest",
        hoverlabel={"align": "left", "font": {"color": TEXT}},
        font={"color": TEXT},
        separators=".,",
    )
    for update_axes in (figure.update_xaxes, figure.update_yaxes):
        update_axes(fixedrange=True, showspikes=False, tickfont_color=TEXT, title_font={"color": TEXT, "size": 13})
    return figure


def get_titles(figure: go.Figure) -> Words:
    """The title and subtitle that `apply_layout` gave to `figure`, as plain text."""
    meta = figure.layout.meta or {}
    return Words(meta.get("title", ""), meta.get("subtitle", ""))


def without_title(figure: go.Figure) -> go.Figure:
    """A copy of `figure` with its title and subtitle left off, for a page that writes them itself."""
    bare = go.Figure(figure)
    bare.layout.title = None
    return bare


def chart_config(file_name: str, picture: str = "png") -> dict[str, Any]:
    """Plotly's configuration: a download button and nothing to zoom with.

    Args:
        file_name: of the downloaded picture, without its ending.
        picture: its format, png or svg.
    """
    return {
        "displayModeBar": True,
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
        "toImageButtonOptions": {"format": picture, "filename": f"ferscope-{file_name}", "scale": 2},
    }


def empty_figure(title: str, reason: str) -> go.Figure:
    """A figure with nothing in it but the reason why."""
    figure = go.Figure()
    figure.add_annotation(text=escape(reason), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font_size=14)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return apply_layout(figure, title=title, height_px=160)
