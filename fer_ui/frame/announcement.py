"""Short messages that outlive a move to another view: a message of the view that is left can be lost in the browser."""

from __future__ import annotations

import streamlit as st

from fer_ui.escaping import escape_markdown

_KEY = "announcements"


def announce(text: str, icon: str | None = None) -> None:
    """Show a short message, plain text, once a page has been drawn: this one, or the one that the script goes to."""
    st.session_state.setdefault(_KEY, []).append((text, icon))


def show_announcements() -> None:
    """Show what was announced."""
    for text, icon in st.session_state.pop(_KEY, []):
        st.toast(escape_markdown(text), icon=icon)
