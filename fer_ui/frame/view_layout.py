"""The layout of a view: a chart with its numbers beside it, and a bar of actions that stays in sight."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_ui.escaping import escape_markdown

_SHARES = (13, 6)


class ChartAndNumbers(NamedTuple):
    """The two containers of a view's first screen."""

    chart: DeltaGenerator
    numbers: DeltaGenerator


def chart_and_numbers(name: str) -> ChartAndNumbers:
    """Open the first screen of a view: a chart on the left, its verdict and numbers on the right, above it on a phone.

    Fill the numbers first: on a phone they would push the chart down.

    Args:
        name: of the view, unique on the page.
    """
    with st.container(key=f"chart-and-numbers-{name}"):
        return ChartAndNumbers(*st.columns(_SHARES, gap="medium"))


def verdict(text: str) -> None:
    """Show what to conclude, in one line of plain text."""
    st.markdown(f"**{escape_markdown(text)}**")


def sticky_actions(name: str) -> DeltaGenerator:
    """Open a row of buttons that stays at the bottom of the window while its view is scrolled.

    Args:
        name: of the row, unique on the page.
    """
    with st.container(key=f"sticky-{name}"):
        return st.container(horizontal=True, vertical_alignment="center", gap="small")
