"""Show charts on pages: titles that wrap on a phone, the figure, and downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from fer_core.files.csv_file import csv_bytes
from fer_ui.chart_download import show_chart_downloads
from fer_ui.charts.layout import Titles, chart_config, get_titles
from fer_ui.downloads import show_download
from fer_ui.escaping import escape_html

_TITLE = "margin:0;padding:0;font-size:1.0625rem;font-weight:600;line-height:1.35"
_SUBTITLE = "margin:0;font-size:0.9375rem;line-height:1.4;color:color-mix(in srgb, currentColor 78%, transparent)"


def show_chart(
    figure: go.Figure,
    key: str,
    *,
    table: pd.DataFrame | None = None,
    on_select: Literal["ignore", "rerun"] | Callable[..., None] = "ignore",
) -> Any:
    """Show a figure of `fer_ui.charts`.

    Args:
        figure: with the layout of `fer_ui.charts.layout.apply_layout`, whose title is removed.
        key: of the element; with hyphens, as it also names the downloaded files.
        table: the data, offered as a CSV file.
        on_select: as for `st.plotly_chart`; single points can be selected.
    Returns:
        the result of `st.plotly_chart`: the selection, if there is one.
    """
    titles = get_titles(figure)
    figure.layout.title = None  # shown above the figure, where it wraps on a phone; its copy in `meta` stays
    chart_key = get_chart_key(key)
    with st.container(gap="xsmall"):
        show_titles(titles, key, table)
        return st.plotly_chart(
            figure,
            key=chart_key,
            on_select=on_select,
            selection_mode="points",
            config=chart_config(key),
            alt=f"{titles.title}. {titles.subtitle}".strip(),
        )


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
