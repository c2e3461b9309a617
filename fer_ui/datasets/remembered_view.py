"""Each section of a dataset has its own filters, though sections share query parameters: `label` is a filter of Faces
and a bar of Votes. What a section left in the address is remembered for the return to it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from fer_ui.query_params import QueryParam, chosen_param, get_param

_SECTION = "section-before"
_FACES = "faces"
_PARAMS = (
    QueryParam.LABEL,
    QueryParam.SPLIT,
    QueryParam.MARK,
    QueryParam.FINDING,
    QueryParam.FIND,
    QueryParam.ORDER,
    QueryParam.PAGE,
    QueryParam.MODEL,
    QueryParam.VOTES,
    QueryParam.SCALE,
    QueryParam.BARS,
    QueryParam.KIND,
)


def switch_section(sections: Mapping[str, str]) -> None:
    """Exchange the filters in the address, before the tabs are shown, if another tab was pressed.

    An address that was opened or reached by a link or by Back is kept: its filters are those of its section. The
    address changes once, so that Back goes one step.
    """
    before, chosen = get_param(QueryParam.SECTION) or next(iter(sections)), chosen_param(sections, QueryParam.SECTION)
    if chosen == before or before not in sections:
        return
    st.session_state[_remembered(before)] = _filters()
    kept = {name: value for name, value in st.query_params.items() if name not in _PARAMS}
    remembered = st.session_state.get(_remembered(chosen), {})
    st.query_params.from_dict(kept | {str(QueryParam.SECTION): chosen} | remembered)


def note_section(section: str) -> None:
    """Note the section that is shown, before it is. An address of Faces without any filter takes over the remembered
    ones if the section before was another."""
    before = st.session_state.get(_SECTION)
    st.session_state[_SECTION] = section
    if section == _FACES and before not in (None, _FACES) and not _filters():
        for param, value in st.session_state.get(_remembered(_FACES), {}).items():
            st.query_params[param] = value


def remember_view(section: str) -> None:
    """Remember what the address says."""
    st.session_state[_remembered(section)] = _filters()


def forget_view() -> None:
    """Reset every filter, in a callback; the order stays."""
    for param in _PARAMS:
        if param not in (QueryParam.ORDER, QueryParam.MODEL):
            st.query_params.pop(param, None)


def _filters() -> dict[str, str]:
    return {str(param): get_param(param) for param in _PARAMS if get_param(param)}


def _remembered(section: str) -> str:
    return f"{section}-view-{get_param(QueryParam.DATASET)}"
