"""What a link carries: the choices that live in the page's address. A page names them here, never by a string."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeVar

import streamlit as st

Value = TypeVar("Value", bound=str)


class Param(StrEnum):
    """The names in an address's query."""

    DATASET = "dataset"
    MANIFEST = "manifest"
    RUN = "run"
    JOB = "job"
    PART = "part"
    PROTOCOL = "protocol"
    POINT = "point"
    VIEW = "view"
    SCALE = "scale"
    MODEL = "model"


def choose(
    label: str,
    options: Sequence[Value],
    param: Param,
    *,
    format_func: Callable[[str], str] = str,
    help_text: str | None = None,
) -> Value:
    """A drop-down whose choice is in the address; the first of `options`, which are not empty, to begin with."""
    _follow_address(param, options)
    chosen = st.selectbox(label, options, key=str(param), format_func=format_func, help=help_text)
    return _into_address(param, options, chosen)


def switch(label: str, options: Sequence[Value], param: Param, *, format_func: Callable[[str], str] = str) -> Value:
    """A row of buttons of which one is pressed, its choice in the address; the first option to begin with."""
    _follow_address(param, options)
    chosen = st.segmented_control(label, options, required=True, key=str(param), format_func=format_func)
    return _into_address(param, options, chosen)


def value_of(param: Param) -> str:
    """What the address says, "" where it says nothing."""
    return st.query_params.get(param, "")


def _follow_address(param: Param, options: Sequence[str]) -> None:
    """Set the widget to what the address says where the address has changed since the last run.

    Streamlit's own binding of widgets to addresses writes the labels that people see; a link should carry ids.
    """
    key, asked = str(param), value_of(param) or options[0]
    if (
        key not in st.session_state
        or st.session_state[key] not in options
        or asked != st.session_state.get(_seen(param))
    ):
        st.session_state[key] = asked if asked in options else options[0]


def _into_address(param: Param, options: Sequence[Value], chosen: Value | None) -> Value:
    """Write the choice into the address, where the first option needs no word."""
    value = chosen if chosen is not None else options[0]
    st.session_state[_seen(param)] = value
    if value_of(param) != value and (value != options[0] or value_of(param)):
        st.query_params[param] = value
    return value


def _seen(param: Param) -> str:
    """Where the session keeps what the address said at the end of the last run."""
    return f"address-{param}"
