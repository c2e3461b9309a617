"""The section Faces remembers its filters, order and page, for the return from another section or page."""

from __future__ import annotations

import streamlit as st

from fer_ui.query_params import QueryParam, get_param

_SECTION = "section-before"
_PARAMS = (
    QueryParam.LABEL,
    QueryParam.SPLIT,
    QueryParam.MARK,
    QueryParam.FINDING,
    QueryParam.FIND,
    QueryParam.ORDER,
    QueryParam.PAGE,
    QueryParam.MODEL,
)


def note_section(section: str) -> None:
    """Note the section that is shown, before it is; an address without any filter then takes over the remembered ones
    if the section before was another."""
    before = st.session_state.get(_SECTION)
    st.session_state[_SECTION] = section
    if section != "faces" or before in (None, "faces") or any(get_param(param) for param in _PARAMS):
        return
    for param, value in st.session_state.get(_remembered(), {}).items():
        st.query_params[param] = value


def remember_view() -> None:
    """Remember what the address says."""
    st.session_state[_remembered()] = {str(param): get_param(param) for param in _PARAMS if get_param(param)}


def forget_view() -> None:
    """Reset every filter, in a callback; the order stays."""
    for param in _PARAMS:
        if param not in (QueryParam.ORDER, QueryParam.MODEL):
            st.query_params.pop(param, None)


def _remembered() -> str:
    return f"faces-view-{get_param(QueryParam.DATASET)}"
