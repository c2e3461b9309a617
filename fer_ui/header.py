"""The top of a page: title, introduction, headline numbers, notices and empty states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias

import streamlit as st

from fer_ui.escaping import escape_html, escape_markdown
from fer_ui.theme import MUTED

NoticeKind: TypeAlias = Literal["info", "success", "warning", "error"]

SYNTHETIC_DATA_NOTE = "These faces are synthetic. Results on them say nothing about people."
SYNTHETIC_NOTE = "Trained and evaluated on synthetic faces: these metrics say nothing about people."
SYNTHETIC_MODEL_WARNING = "The model in use was trained on synthetic faces: its predictions on real faces mean nothing."

_HEADLINES = (2, 4)
_GRID = (
    "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(9.25rem,45%),1fr));"
    "gap:0.75rem 1.5rem;margin:0.25rem 0 0.5rem;padding:0"
)
_CELL = "border-left:2px solid color-mix(in srgb, currentColor 22%, transparent);padding-left:0.75rem;min-width:0"
_LABEL = f"font-size:0.875rem;line-height:1.3;{MUTED}"
_VALUE = (
    "margin:0;font-size:clamp(1.5rem,5.2vw,2.125rem);font-weight:600;line-height:1.2;"
    "font-variant-numeric:tabular-nums;overflow-wrap:anywhere"
)
_DETAIL = f"margin:0;font-size:0.8125rem;line-height:1.35;{MUTED}"
_STYLE = """<style>
.stApp [role="tab"][aria-selected="true"], .stApp [role="radio"][aria-checked="true"],
.stApp [data-testid="stSliderThumbValue"] { color: inherit; }
</style>"""
"""Selected tabs and options keep the page's text color: an accent dark enough for a button's white text has too little
contrast for small text on the dark page (3.9 to 1), and Streamlit has no setting for one of the two alone."""

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


def page_header(title: str, introduction: str) -> None:
    """Show the page's title and a sentence about it, both plain text."""
    st.html(_STYLE)
    st.title(escape_markdown(title), anchor=False)
    st.markdown(escape_markdown(introduction))


def headline(numbers: Sequence[Headline]) -> None:
    """Show two to four large numbers in a row, two in a row on a phone.

    Raises:
        ValueError: fewer or more numbers than that.
    """
    low, high = _HEADLINES
    if not low <= len(numbers) <= high:
        raise ValueError(f"A headline has {low} to {high} numbers but got {len(numbers)}.")
    st.html(headline_html(numbers))


def headline_html(numbers: Sequence[Headline]) -> str:
    """Build the HTML of `headline`: a description list, so that screen readers keep label and value together."""
    cells = ""
    for label, value, detail in numbers:
        small = f'<dd style="{_DETAIL}">{escape_html(detail)}</dd>' if detail else ""
        cells += f'<div style="{_CELL}"><dt style="{_LABEL}">{escape_html(label)}</dt>'
        cells += f'<dd style="{_VALUE}">{escape_html(value)}</dd>{small}</div>'
    return f'<dl class="ferscope-headline" style="{_GRID}">{cells}</dl>'


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
