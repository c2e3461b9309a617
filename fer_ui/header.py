"""What a page opens with: its title, a sentence, the large numbers, or what to do when there is nothing yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias

import streamlit as st

from fer_ui.escaping import escape_html, escape_markdown

NoticeKind: TypeAlias = Literal["info", "success", "warning", "error"]

_HEADLINES = (2, 4)
_MUTED = "color:color-mix(in srgb, currentColor 72%, transparent)"
_GRID = (
    "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(9.25rem,45%),1fr));"
    "gap:0.75rem 1.5rem;margin:0.25rem 0 0.5rem;padding:0"
)
_CELL = "border-left:2px solid color-mix(in srgb, currentColor 22%, transparent);padding-left:0.75rem;min-width:0"
_LABEL = f"font-size:0.875rem;line-height:1.3;{_MUTED}"
_VALUE = (
    "margin:0;font-size:clamp(1.5rem,5.2vw,2.125rem);font-weight:600;line-height:1.2;"
    "font-variant-numeric:tabular-nums;overflow-wrap:anywhere"
)
_DETAIL = f"margin:0;font-size:0.8125rem;line-height:1.35;{_MUTED}"
_STYLE = """<style>
.stApp [role="tab"][aria-selected="true"], .stApp [role="radio"][aria-checked="true"],
.stApp [data-testid="stSliderThumbValue"] { color: inherit; }
</style>"""
"""What is chosen is marked by the accent and written in the page's text color: an accent dark enough for the white
text of a button is too dark for small text on the dark page (3.9 to 1), and no setting parts the two."""

_ICONS: dict[NoticeKind, str] = {
    "info": ":material/info:",
    "success": ":material/check_circle:",
    "warning": ":material/warning:",
    "error": ":material/error:",
}


class Headline(NamedTuple):
    """One large number: what it is, its value as text, and a small detail, such as its interval."""

    label: str
    value: str
    detail: str = ""


def page_header(title: str, sentence: str) -> None:
    """The page's title and, in one sentence, what it answers. Plain text both."""
    st.html(_STYLE)
    st.title(escape_markdown(title), anchor=False)
    st.markdown(escape_markdown(sentence))


def headline(numbers: Sequence[Headline]) -> None:
    """Show two to four large numbers in a row; on a phone, two in a row.

    Raises:
        ValueError: fewer or more numbers than that.
    """
    fewest, most = _HEADLINES
    if not fewest <= len(numbers) <= most:
        raise ValueError(f"A headline has {fewest} to {most} numbers but got {len(numbers)}.")
    st.html(headline_html(numbers))


def headline_html(numbers: Sequence[Headline]) -> str:
    """The markup of `headline`: a list of terms and their values, so that a screen reader keeps them together."""
    return f'<dl class="ferscope-headline" style="{_GRID}">{"".join(map(_headline_cell, numbers))}</dl>'


def empty_state(title: str, text: str, *, links: Callable[[], object] | None = None) -> None:
    """A page or a part of one with nothing to show yet: says so, and what to do next.

    Args:
        title: what is missing; plain text.
        text: why, and what to do; plain text.
        links: draws the page links or buttons that lead on.
    """
    with st.container(border=True, gap="small"):
        st.subheader(escape_markdown(title), anchor=False)
        st.markdown(escape_markdown(text))
        if links is not None:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                links()


def notice(kind: NoticeKind, text: str) -> None:
    """A line that stands out. Plain text."""
    boxes = {"info": st.info, "success": st.success, "warning": st.warning, "error": st.error}
    boxes[kind](escape_markdown(text), icon=_ICONS[kind])


def _headline_cell(number: Headline) -> str:
    detail = f'<dd style="{_DETAIL}">{escape_html(number.detail)}</dd>' if number.detail else ""
    return (
        f'<div style="{_CELL}"><dt style="{_LABEL}">{escape_html(number.label)}</dt>'
        f'<dd style="{_VALUE}">{escape_html(number.value)}</dd>{detail}</div>'
    )
