"""Escape plain text for Markdown and HTML."""

from __future__ import annotations

import re
from html import escape

_SPECIAL = re.compile(
    r"""[\\`*\[\]$~<]            # anywhere: code, emphasis, links, formulas, HTML
    | (?<!\w)_ | _(?!\w)        # beside a word; inside one, as in size_px, it means nothing
    | :(?=[A-Za-z])             # a color or an icon
    | &(?=\#?\w+;)              # an entity
    | ^[#>+=-]                  # at the start of a line: a heading, a quotation, a list
    | (?<=^\d)[.)] | (?<=^\d\d)[.)]
    """,
    re.VERBOSE,
)


def escape_markdown(text: str) -> str:
    """Escape `text` so that Streamlit's Markdown shows it literally, with its line breaks."""
    lines = (line.strip() for line in text.strip().splitlines())
    return "  \n".join(_SPECIAL.sub(r"\\\g<0>", line) for line in lines)


def escape_html(text: str) -> str:
    """Escape `text` for HTML; a percent sign stays on the line of its number."""
    return escape(text).replace(" %", "&nbsp;%")
