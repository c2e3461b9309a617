"""How a chart is put on a page: its words above it, where they wrap on a phone, and the figure below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st

from fer_ui.charts.layout import chart_config, without_words, words_of
from fer_ui.words import markup

_TITLE = "margin:0;padding:0;font-size:1.0625rem;font-weight:600;line-height:1.35"
_SUBTITLE = "margin:0;font-size:0.9375rem;line-height:1.4;color:color-mix(in srgb, currentColor 78%, transparent)"


def show_chart(
    figure: go.Figure,
    key: str,
    *,
    on_select: Literal["ignore", "rerun"] | Callable[..., None] = "ignore",
) -> Any:
    """Show a figure of `fer_ui.charts`.

    Args:
        figure: with the layout of `fer_ui.charts.layout.apply_layout`.
        key: of the element; with hyphens, as it also names the downloaded picture.
        on_select: as for `st.plotly_chart`; single points can be selected.
    Returns:
        what `st.plotly_chart` returns: the selection, if there is one.
    """
    words = words_of(figure)
    with st.container(gap="xsmall"):
        st.html(words_html(words.title, words.subtitle))
        return st.plotly_chart(
            without_words(figure),
            # A chart keeps the colours it was first drawn in: in the other theme it is another element.
            key=f"{key}-{st.context.theme.type}",
            on_select=on_select,
            selection_mode="points",
            config=chart_config(key),
            alt=f"{words.title}. {words.subtitle}".strip(),
        )


def words_html(title: str, subtitle: str) -> str:
    """The markup of a chart's words."""
    below = f'<p style="{_SUBTITLE}">{markup(subtitle)}</p>' if subtitle else ""
    return f'<div><h3 style="{_TITLE}">{markup(title)}</h3>{below}</div>'
