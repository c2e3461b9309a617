"""Figures that were drawn before. Plotly validates every property, which takes longer than the rest of a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import streamlit as st

_FIGURES_MAX = 128


def draw_cached(chart: Callable[..., go.Figure], *data: Any, **options: Any) -> go.Figure:
    """Draw a figure, or get the one that was drawn of the same data; shared by all sessions, so not to be changed.

    Args:
        chart: a function of `fer_ui.charts`, which depends on nothing but its arguments and the page's theme.
        data, options: its arguments; small tables and plain values.
    """
    return _draw(chart, f"{chart.__module__}.{chart.__qualname__}", st.context.theme.type, data, options)


@st.cache_resource(show_spinner=False, max_entries=_FIGURES_MAX)
def _draw(
    _chart: Callable[..., go.Figure], name: str, theme: str | None, data: tuple[Any, ...], options: dict[str, Any]
) -> go.Figure:
    del name, theme  # part of the key
    return _chart(*data, **options)
