"""Show charts on pages: titles that wrap on a phone, the figure, and downloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from fer_core.files.csv_file import csv_bytes
from fer_ui.chart_download import show_chart_downloads
from fer_ui.charts.layout import Titles, chart_config, get_titles
from fer_ui.downloads import show_download
from fer_ui.drawing.bar_chart import bar_chart_data, show_bars
from fer_ui.drawing.line_chart import line_chart_data, show_lines
from fer_ui.escaping import escape_html

Clicked = Sequence[Any]
"""The `customdata` of a bar or point."""

_TITLE = "margin:0;padding:0;font-size:1.0625rem;font-weight:600;line-height:1.35"
_SUBTITLE = "margin:0;font-size:0.9375rem;line-height:1.4;color:color-mix(in srgb, currentColor 78%, transparent)"


def show_chart(
    figure: go.Figure,
    key: str,
    *,
    table: pd.DataFrame | None = None,
    clickable: bool = False,
    on_click: Callable[[Clicked], None] | None = None,
) -> Clicked | None:
    """Show a figure of `fer_ui.charts`; bars and lines are drawn without Plotly.

    Args:
        figure: with the layout of `fer_ui.charts.layout.apply_layout`.
        key: of the element; with hyphens, as it also names the downloaded files.
        table: the data, offered as a CSV file.
        clickable: bars can be clicked.
        on_click: called with a clicked bar or point, before the rerun that the click causes.
    Returns:
        the bar whose click caused this run; None without a click, and for points.
    """
    titles = get_titles(figure)
    chart_key = get_chart_key(key)
    alt = f"{titles.title}. {titles.subtitle}".strip()
    with st.container(gap="xsmall"):
        show_titles(titles, key, table)
        if bars := bar_chart_data(figure):
            return _show_bars(bars, chart_key, alt, clickable or on_click is not None, on_click)
        if on_click is None and (lines := line_chart_data(figure)):
            show_lines(key=chart_key, data={**lines, "title": alt, "theme": st.context.theme.type})
            return None
        figure.layout.title = None  # shown above the figure, where it wraps on a phone; its copy in `meta` stays
        st.plotly_chart(
            figure,
            key=chart_key,
            on_select="ignore" if on_click is None else partial(_report_point, chart_key, on_click),
            selection_mode="points",
            config=chart_config(key),
            alt=alt,
        )
    return None


def _show_bars(
    bars: dict[str, Any], key: str, title: str, clickable: bool, on_click: Callable[[Clicked], None] | None
) -> Clicked | None:
    data = {**bars, "title": title, "theme": st.context.theme.type, "clickable": clickable}

    def report() -> None:
        if on_click is not None and (clicked := st.session_state[key].get("bar")):
            on_click(clicked)

    clicked: Clicked | None = show_bars(key=key, data=data, on_bar_change=report).bar
    return clicked


def _report_point(key: str, on_click: Callable[[Clicked], None]) -> None:
    event = st.session_state.get(key)
    for point in event["selection"]["points"][:1] if event else []:
        if clicked := point.get("customdata"):
            on_click(list(clicked))


def show_titles(titles: Titles, key: str, table: pd.DataFrame | None) -> None:
    """Show the titles of the chart `key` and the menu with its downloads."""
    with st.container(horizontal=True, wrap=False, gap="small", key=f"titles-{key}"):
        st.html(titles_html(*titles))
        show_chart_downloads(get_chart_key(key), f"ferscope-{key}", table)


def get_chart_key(key: str) -> str:
    """Get the key of a chart's element.

    A chart keeps the colors it was first drawn in, so each theme has an element of its own.
    """
    return f"{key}-{st.context.theme.type}"


def show_csv_download(
    table: pd.DataFrame | Callable[[], pd.DataFrame],
    key: str,
    label: str = "Download as CSV",
    type: Literal["secondary", "tertiary"] = "secondary",
) -> None:
    """Show a button that downloads a table without its index.

    Args:
        table: or a function that builds it, which runs on another thread once the button is clicked.
        key: of the element; also names the file.
    """
    content = csv_bytes(table) if isinstance(table, pd.DataFrame) else lambda: csv_bytes(table())
    show_download(label, content, f"ferscope-{key}.csv", "text/csv", type)


def titles_html(title: str, subtitle: str) -> str:
    """Build the HTML of a chart's titles."""
    below = f'<p style="{_SUBTITLE}">{escape_html(subtitle)}</p>' if subtitle else ""
    return f'<div><h3 style="{_TITLE}">{escape_html(title)}</h3>{below}</div>'
