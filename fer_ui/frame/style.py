"""The style sheet of all pages: what Streamlit's theme has no setting for."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

STYLE_FILE = Path(__file__).with_name("style.css")


def show_style() -> None:
    """Apply `style.css`, with the theme's colors of the page, for what lies over other content, and of its accent."""
    theme = f"theme.{st.context.theme.type or 'light'}"
    page, accent = (st.get_option(f"{theme}.{name}") for name in ("backgroundColor", "primaryColor"))
    colors = f":root {{ --ferscope-page: {page}; --ferscope-accent: {accent}; }}"
    st.html(f"<style>{colors}\n{STYLE_FILE.read_text()}</style>")
