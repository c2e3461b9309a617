"""Grids of small panels on one scale, two in a row so that they fit a phone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer_ui.charts.layout import LEGEND_PX, PERCENT_TICKS, apply_layout
from fer_ui.theme import SERIES

_COLUMNS = 2
_PANEL_PX = 118
_TOP_PX = 52
"""Room for the buttons, which would otherwise cover the second panel's title."""


def make_panels(titles: Sequence[str], x_title: str) -> go.Figure:
    """Make one empty panel for each title, with a vertical axis from 0 to 100 %."""
    rows = -(-len(titles) // _COLUMNS)
    figure = make_subplots(
        rows=rows,
        cols=_COLUMNS,
        shared_xaxes=True,
        shared_yaxes=True,
        horizontal_spacing=0.06,
        vertical_spacing=0.29 / rows,
        subplot_titles=titles,
    )
    figure.update_xaxes(title_text=x_title, title_standoff=8, row=rows)
    figure.update_yaxes(range=[-0.04, 1.04], tickvals=[0, 0.5, 1], **PERCENT_TICKS)
    return figure.update_layout(height=rows * _PANEL_PX + LEGEND_PX + 82, showlegend=True)


def lay_out_panels(figure: go.Figure, *, title: str, subtitle: str) -> go.Figure:
    """Apply the common layout to a figure of `make_panels` and return it."""
    apply_layout(figure, title=title, subtitle=subtitle, height_px=figure.layout.height)
    return figure.update_layout(margin_t=_TOP_PX).update_annotations(font_size=13)


def panel_line(panel: int, *, x: float | None = None, y: float | None = None, dash: str) -> dict[str, Any]:
    """Build a line across a panel, at `x` or at `y`."""
    x_axis, y_axis = panel_axis("x", panel), panel_axis("y", panel)
    if x is None:
        position = {"xref": f"{x_axis} domain", "yref": y_axis, "x0": 0, "x1": 1, "y0": y, "y1": y}
    else:
        position = {"xref": x_axis, "yref": f"{y_axis} domain", "x0": x, "x1": x, "y0": 0, "y1": 1}
    return {"type": "line", **position, "line": {"width": 1, "dash": dash, "color": SERIES[1]}}


def panel_axis(letter: str, panel: int) -> str:
    """Get Plotly's name of a panel's axis, such as "x" for the first panel and "x2" for the second."""
    return letter if panel == 1 else f"{letter}{panel}"
