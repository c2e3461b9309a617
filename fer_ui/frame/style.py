"""The style sheet of all pages: what Streamlit's theme has no setting for."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

STYLE_FILE = Path(__file__).with_name("style.css")


def show_style() -> None:
    """Apply `style.css`, with the page's background color for bars that lie over other content."""
    background = st.get_option(f"theme.{st.context.theme.type or 'light'}.backgroundColor")
    st.html(f"<style>:root {{ --ferscope-page: {background}; }}\n{STYLE_FILE.read_text()}</style>")
