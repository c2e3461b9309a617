"""Plain words for a page, which would otherwise read names and messages as Markdown or HTML."""

from __future__ import annotations

import re
from html import escape

_MARKS = re.compile(
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
    """`text` written so that Streamlit's Markdown shows it as it is, its line breaks kept.

    File names, class names and error messages hold asterisks, underscores and dollar signs that mean nothing. Words
    without such signs stay as they are.
    """
    lines = (line.strip() for line in text.strip().splitlines())
    return "  \n".join(_MARKS.sub(r"\\\g<0>", line) for line in lines)


def escape_html(text: str) -> str:
    """`text` written so that HTML shows it as it is, a percent sign never on a line of its own."""
    return escape(text).replace(" %", "&nbsp;%")
