"""Figures that were drawn before."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import plotly.graph_objects as go
import pytest
import streamlit as st

from fer_ui.chart_cache import draw_cached


@pytest.fixture(autouse=True)
def _clear_caches() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_a_figure_is_drawn_once_for_the_same_data_and_options() -> None:
    drawn = []

    def chart(table: pd.DataFrame, *, log: bool = False) -> go.Figure:
        drawn.append((table["count"].sum(), log))
        return go.Figure()

    table = pd.DataFrame({"expression": ["fear", "anger"], "count": [1, 2]})
    first = draw_cached(chart, table)
    assert draw_cached(chart, table.copy()) is first
    assert draw_cached(chart, table, log=True) is not first
    draw_cached(chart, table.assign(count=[1, 3]))
    draw_cached(chart, table.rename(columns={"expression": "label"}))
    assert drawn == [(3, False), (3, True), (4, False), (3, False)]


def test_charts_of_the_same_data_are_different() -> None:
    def one(table: pd.DataFrame) -> go.Figure:
        return go.Figure()

    def other(table: pd.DataFrame) -> go.Figure:
        return go.Figure()

    table = pd.DataFrame({"count": [1]})
    assert draw_cached(one, table) is not draw_cached(other, table)
