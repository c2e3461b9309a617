"""Show charts on pages: titles that wrap on a phone, the figure, and downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from fer_core.files.csv_file import csv_bytes
from fer_ui.charts.layout import chart_config, get_titles, without_title
from fer_ui.downloads import show_download
from fer_ui.escaping import escape_html

_TITLE = "margin:0;padding:0;font-size:1.0625rem;font-weight:600;line-height:1.35"
_SUBTITLE = "margin:0;font-size:0.9375rem;line-height:1.4;color:color-mix(in srgb, currentColor 78%, transparent)"
_FORMATS = {"png": "PNG", "svg": "SVG"}
_FORMAT_KEY = "picture-format"


def show_chart(
    figure: go.Figure,
    key: str,
    *,
    table: pd.DataFrame | None = None,
    on_select: Literal["ignore", "rerun"] | Callable[..., None] = "ignore",
) -> Any:
    """Show a figure of `fer_ui.charts`.

    Args:
        figure: with the layout of `fer_ui.charts.layout.apply_layout`.
        key: of the element; with hyphens, as it also names the downloaded files.
        table: the data, offered as a CSV file.
        on_select: as for `st.plotly_chart`; single points can be selected.
    Returns:
        the result of `st.plotly_chart`: the selection, if there is one.
    """
    titles = get_titles(figure)
    picture = st.session_state.get(_FORMAT_KEY, "png")
    with st.container(gap="xsmall"):
        st.html(titles_html(*titles))
        selection = st.plotly_chart(
            without_title(figure),
            # A chart keeps the colors it was first drawn in, so each theme has an element of its own.
            key=f"{key}-{st.context.theme.type}-{picture}",
            on_select=on_select,
            selection_mode="points",
            config=chart_config(key, picture),
            alt=f"{titles.title}. {titles.subtitle}".strip(),
        )
        if table is not None:
            _downloads(table, key)
    return selection


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


def _downloads(table: pd.DataFrame, key: str) -> None:
    with st.popover("Download", icon=":material/download:", type="tertiary"):
        show_csv_download(table, key, "Data as CSV")
        current = st.session_state.get(_FORMAT_KEY, "png")
        chosen = st.segmented_control(
            "Picture format",
            list(_FORMATS),
            default=current,
            required=True,
            format_func=_FORMATS.__getitem__,
            key=f"format-{key}",
        )
        st.caption("Download the picture with the camera button in the chart's upper right corner.")
        if chosen and chosen != current:
            st.session_state[_FORMAT_KEY] = chosen
            st.rerun()
