"""The style sheet of all pages: what Streamlit's theme has no setting for."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_STYLE_FILE = Path(__file__).with_name("style.css")


def style_sheet() -> str:
    """Build `style.css` with the page's colors for bars that lie over other content and for the ring of the focus.

    Streamlit sets `color-scheme` to the theme in use, so the colors follow a change of it.
    """
    colors = {"page": "backgroundColor", "text": "textColor"}
    both = {
        name: ", ".join(str(st.get_option(f"theme.{theme}.{option}")) for theme in ("light", "dark"))
        for name, option in colors.items()
    }
    variables = " ".join(f"--ferscope-{name}: light-dark({values});" for name, values in both.items())
    return f".stApp {{ {variables} }}\n{_STYLE_FILE.read_text()}"
