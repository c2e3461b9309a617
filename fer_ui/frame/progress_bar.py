"""A progress bar with a name for screen readers; `st.progress` names every bar "progress"."""

from __future__ import annotations

import streamlit as st

from fer_ui.escaping import escape_html


def progress_bar(name: str, done_01: float, text: str = "") -> None:
    """Show a progress bar below a line of text.

    Args:
        name: what makes progress, for screen readers.
        done_01: clipped to 0..1.
        text: plain text above the bar.
    """
    st.html(progress_bar_html(name, done_01, text))


def progress_bar_html(name: str, done_01: float, text: str = "") -> str:
    """Build the HTML of `progress_bar`."""
    percent = round(100 * min(max(done_01, 0.0), 1.0))
    line = f"<span>{escape_html(text)}</span>" if text else ""
    return (
        f'<div class="ferscope-progress">{line}<div role="progressbar" aria-label="{escape_html(name)}" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}">'
        f'<div style="width: {percent}%"></div></div></div>'
    )
