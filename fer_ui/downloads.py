"""Download buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st


def show_download(
    label: str,
    content: str | bytes | Callable[[], bytes],
    file_name: str,
    mime: str,
    type: Literal["primary", "secondary", "tertiary"] = "secondary",
) -> None:
    """Show a button that downloads a file; a function that builds the content runs once the button is clicked."""
    st.download_button(
        label,
        content,
        file_name,
        mime,
        key=f"download-{file_name}",
        icon=":material/download:",
        type=type,
        on_click="ignore",
    )
