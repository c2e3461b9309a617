"""The top of a page: title, introduction, headline numbers, notices and empty states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_ui.escaping import escape_html, escape_markdown

NoticeKind: TypeAlias = Literal["info", "success", "warning", "error"]

SYNTHETIC_DATA_NOTE = "These faces are synthetic. Results on them say nothing about people."
SYNTHETIC_NOTE = "Trained and evaluated on synthetic faces: these metrics say nothing about people."
SYNTHETIC_MODEL_WARNING = "The model in use was trained on synthetic faces: its predictions on real faces mean nothing."

_HEADLINES_MIN, _HEADLINES_MAX = 2, 6

_ICONS: dict[NoticeKind, str] = {
    "info": ":material/info:",
    "success": ":material/check_circle:",
    "warning": ":material/warning:",
    "error": ":material/error:",
}


class Headline(NamedTuple):
    """A large number: its label, its value as text, and a small detail such as its interval."""

    label: str
    value: str
    detail: str = ""


def page_header(title: str, introduction: str) -> DeltaGenerator:
    """Show the page's title, with a sentence about it as a tooltip, both plain text.

    Returns:
        the title's row, for the widgets that choose what the page shows.
    """
    row = st.container(key="page-header", horizontal=True, vertical_alignment="center", gap="small")
    row.title(escape_markdown(title), anchor=False, help=escape_markdown(introduction), width="content")
    return row


def headline(numbers: Sequence[Headline]) -> None:
    """Show two to six large numbers, as many in a row as fit.

    Raises:
        ValueError: fewer or more numbers than that.
    """
    if not _HEADLINES_MIN <= len(numbers) <= _HEADLINES_MAX:
        raise ValueError(f"A headline has {_HEADLINES_MIN} to {_HEADLINES_MAX} numbers but got {len(numbers)}.")
    st.html(headline_html(numbers))


def headline_html(numbers: Sequence[Headline]) -> str:
    """Build the HTML of `headline`: a description list, so that screen readers keep label and value together."""
    cells = ""
    for label, value, detail in numbers:
        small = f'<dd class="detail">{escape_html(detail)}</dd>' if detail else ""
        cells += f'<div><dt>{escape_html(label)}</dt><dd class="value">{escape_html(value)}</dd>{small}</div>'
    return f'<div class="ferscope-headline-box"><dl class="ferscope-headline">{cells}</dl></div>'


def empty_state(title: str, text: str, *, links: Callable[[], object] | None = None) -> None:
    """Show that there is nothing yet, and what to do next.

    Args:
        title: what is missing; plain text.
        text: why, and what to do; plain text.
        links: shows page links or buttons.
    """
    with st.container(border=True, gap="small"):
        st.subheader(escape_markdown(title), anchor=False)
        st.markdown(escape_markdown(text))
        if links is not None:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                links()


def notice(kind: NoticeKind, text: str) -> None:
    """Show a plain text in a colored box."""
    boxes = {"info": st.info, "success": st.success, "warning": st.warning, "error": st.error}
    boxes[kind](escape_markdown(text), icon=_ICONS[kind])
