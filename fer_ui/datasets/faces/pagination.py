"""The current page of a long list and the control to change it. Owns that session state."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from fer_ui.formatting import format_count
from fer_ui.query_params import QueryParam, get_param

_LAST_QUERY = "pagination-query"
_BUTTONS_MAX = 7


class _Control(NamedTuple):
    """The number of the control and the page that it shows."""

    revision: int
    page: int


def current_slice(key: str, total: int, page_size: int, *, caption: str = "", in_query: bool = False) -> slice:
    """Get the rows of the page to show, with a caption such as "Jobs 1 to 20 of 200." if there are several pages.

    Args:
        key: of the list; another list starts at its first page.
        total: rows of the list, at least 1.
        caption: what the rows are; "" for no caption.
        in_query: store the page in the query string; for only one list on a page.
    """
    pages = -(-total // page_size)
    page = int(st.session_state.get(_page(key), 1))
    if in_query:
        page = _follow_query(key, page)
    page = min(max(1, page), pages)
    st.session_state[_page(key)], st.session_state[_pages(key)] = page, pages
    if in_query:
        if get_param(QueryParam.PAGE) != (str(page) if page > 1 else ""):
            if page > 1:
                st.query_params[QueryParam.PAGE] = str(page)
            else:
                st.query_params.pop(QueryParam.PAGE, None)
        st.session_state[_LAST_QUERY] = (key, get_param(QueryParam.PAGE))
    first, end = (page - 1) * page_size, min(page * page_size, total)
    if caption and pages > 1:
        st.caption(f"{caption} {format_count(first + 1)} to {format_count(end)} of {format_count(total)}.")
    return slice(first, end)


def show_pagination(key: str) -> None:
    """Show the numbers of the pages, the current one pressed; nothing for a single page."""
    pages = st.session_state[_pages(key)]
    if pages < 2:
        return
    page = st.session_state[_page(key)]
    field = _field(key, page)
    st.pagination(
        pages, default=page, key=field, max_visible_pages=_BUTTONS_MAX, on_change=_turn_to_field, args=(key, field)
    )


def _follow_query(key: str, page: int) -> int:
    """Get the page of the query string if that has changed; the first page of another list."""
    requested = get_param(QueryParam.PAGE)
    last_key, last_page = st.session_state.get(_LAST_QUERY, ("", ""))
    if requested != last_page or not last_key:
        return int(requested) if requested.isdecimal() and len(requested) < 10 else 1
    return page if key == last_key else 1


def _field(key: str, page: int) -> str:
    """Get the key of the control: another one when the page was changed by Back or by another list.

    A control keeps its page under one key, and Streamlit warns of setting it, as it always has a default.
    """
    control: _Control = st.session_state.get(_control(key)) or _Control(0, page)
    if control.page != page:
        control = _Control(control.revision + 1, page)
    st.session_state[_control(key)] = control
    return f"{key}-page-field-{control.revision}"


def _turn_to_field(key: str, field: str) -> None:
    page = st.session_state[_page(key)] = st.session_state[field]
    st.session_state[_control(key)] = st.session_state[_control(key)]._replace(page=page)


def _page(key: str) -> str:
    return f"{key}-page"


def _pages(key: str) -> str:
    return f"{key}-pages"


def _control(key: str) -> str:
    return f"{key}-page-control"
