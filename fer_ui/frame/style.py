"""The style sheet of all pages: what Streamlit's theme has no setting for."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

STYLE_FILE = Path(__file__).with_name("style.css")


def show_style() -> None:
    """Apply `style.css`, with the page's colors for bars that lie over other content and for the ring of the focus."""
    theme = st.context.theme.type or "light"
    background, text = (st.get_option(f"theme.{theme}.{name}") for name in ("backgroundColor", "textColor"))
    colors = f":root {{ --ferscope-page: {background}; --ferscope-text: {text}; }}"
    st.html(f"<style>{colors}\n{STYLE_FILE.read_text()}</style>")
