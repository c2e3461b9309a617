"""Faces of a chart's bar on the same view: a click writes the bar to the query string, where select boxes show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from fer_ui.chart_view import Clicked
from fer_ui.query_params import QueryParam


def store_clicked_bar(params: Sequence[QueryParam]) -> Callable[[Clicked], None]:
    """Build the `on_click` of `chart_view.show_chart` that stores a clicked bar in the query string.

    Args:
        params: one for each entry of the bars' `customdata`.
    """

    def store(clicked: Clicked) -> None:
        for param, value in read_clicked_bar(clicked, params).items():
            st.query_params[param] = value

    return store


def read_clicked_bar(clicked: Clicked, params: Sequence[QueryParam]) -> dict[str, str]:
    """Convert a clicked bar to query parameters; {} if it is not such a bar.

    An empty entry, such as the split of a bar of all splits, is left out.
    """
    if len(clicked) != len(params):
        return {}
    return {str(param): str(value) for param, value in zip(params, clicked, strict=True) if value != ""}
