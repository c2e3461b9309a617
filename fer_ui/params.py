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
    _forget_unknown(param, options)
    chosen = st.selectbox(
        label, options, key=f"param-{param}", format_func=format_func, help=help_text, bind="query-params"
    )
    return chosen if chosen is not None else options[0]


def switch(label: str, options: Sequence[Value], param: Param, *, format_func: Callable[[str], str] = str) -> Value:
    """A row of buttons of which one is pressed, its choice in the address; the first option to begin with."""
    _forget_unknown(param, options)
    chosen = st.segmented_control(
        label,
        options,
        default=options[0],
        required=True,
        key=f"param-{param}",
        format_func=format_func,
        bind="query-params",
    )
    return chosen if chosen is not None else options[0]


def value_of(param: Param) -> str:
    """What the address says, "" where it says nothing."""
    return st.query_params.get(param, "")


def set_value(param: Param, value: str) -> None:
    """Write a value into the address; "" takes it out."""
    if value:
        st.query_params[param] = value
    elif param in st.query_params:
        del st.query_params[param]


def _forget_unknown(param: Param, options: Sequence[str]) -> None:
    """Drop a choice that is no longer among the options (a deleted dataset, an old link)."""
    key = f"param-{param}"
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]
