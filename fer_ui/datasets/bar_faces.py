"""Faces of a chart's bar on the same view: a click writes the bar to the query string, where select boxes show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from fer_ui.chart_view import get_chart_key
from fer_ui.query_params import QueryParam


def store_clicked_bar(key: str, params: Sequence[QueryParam]) -> Callable[[], None]:
    """Build the `on_select` of `chart_view.show_chart` that stores a clicked bar in the query string.

    Args:
        key: of the chart, as for `show_chart`.
        params: one for each entry of the bars' `customdata`.
    """

    def store() -> None:
        event = st.session_state.get(get_chart_key(key))
        for param, value in read_clicked_bar(event["selection"]["points"] if event else [], params).items():
            st.query_params[param] = value

    return store


def read_clicked_bar(points: Sequence[Mapping[str, Any]], params: Sequence[QueryParam]) -> dict[str, str]:
    """Convert the first clicked bar to query parameters; {} if no bar was clicked."""
    for point in points:
        values = point.get("customdata") or ()
        if len(values) == len(params):
            return {str(param): str(value) for param, value in zip(params, values, strict=True)}
    return {}
