"""The current page of a long list and the controls to change it. Owns that session state."""

from __future__ import annotations

import streamlit as st

from fer_ui.formatting import format_count
from fer_ui.query_params import QueryParam, get_param

_QUERY_STATE = "pagination-query"


def current_page(key: str, pages: int, *, in_query: bool = False) -> int:
    """Get the page to show, from 1.

    Args:
        key: of the list; another list starts at its first page.
        pages: how many there are, at least 1; a page beyond them is the last.
        in_query: store it in the query string; for only one list on a page.
    """
    page = int(st.session_state.get(_page(key), 1))
    if in_query:
        page = _follow_query(key, page)
    page = min(max(1, page), pages)
    st.session_state[_page(key)] = page
    if in_query:
        if page > 1 or get_param(QueryParam.PAGE):
            st.query_params[QueryParam.PAGE] = str(page)
        st.session_state[_QUERY_STATE] = (key, get_param(QueryParam.PAGE))
    return page


def show_pagination(key: str, pages: int) -> None:
    """Show previous, page number and next in a horizontal container; nothing for a single page.

    `st.pagination` can't jump to an arbitrary one of a thousand pages.
    """
    if pages < 2:
        return
    page = st.session_state[_page(key)]
    st.button(
        "Previous",
        key=f"{key}-previous",
        icon=":material/chevron_left:",
        disabled=page <= 1,
        on_click=_turn_to,
        args=(key, page - 1),
    )
    st.session_state[_field(key)] = page
    st.number_input(
        f"Page (of {format_count(pages)})",
        1,
        pages,
        key=_field(key),
        on_change=_turn_to_field,
        args=(key,),
        label_visibility="collapsed",
        width=120,
    )
    st.markdown(f"of {format_count(pages)}", width="content")
    st.button(
        "Next",
        key=f"{key}-next",
        icon=":material/chevron_right:",
        icon_position="right",
        disabled=page >= pages,
        on_click=_turn_to,
        args=(key, page + 1),
    )


def _follow_query(key: str, page: int) -> int:
    """Get the page of the query string if that has changed; the first page of another list."""
    asked = get_param(QueryParam.PAGE)
    known, seen = st.session_state.get(_QUERY_STATE, ("", ""))
    if asked != seen:
        return int(asked) if asked.isdecimal() and len(asked) < 10 else 1
    return page if key == known else 1


def _turn_to(key: str, page: int) -> None:
    st.session_state[_page(key)] = page


def _turn_to_field(key: str) -> None:
    _turn_to(key, st.session_state[_field(key)] or 1)


def _page(key: str) -> str:
    return f"{key}-page"


def _field(key: str) -> str:
    return f"{key}-page-field"
