"""Components whose script draws one picture: their shared script, style sheet and page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).resolve().parent
_HTML = '<div class="ferscope-drawing"><svg role="{role}"></svg><div class="hint" role="status" hidden></div></div>'


def drawing_component(name: str, *scripts: str, role: str) -> Callable[..., Any]:
    """Register the component that `NAME.js` draws.

    Args:
        scripts: of this folder, that it needs besides `drawing.js`.
        role: of the picture, for screen readers (ARIA).
    """
    return st.components.v2.component(
        f"ferscope_{name}",
        html=_HTML.format(role=role),
        css=(_FOLDER / "drawing.css").read_text(),
        js="\n".join((_FOLDER / file).read_text() for file in ("drawing.js", *scripts, f"{name}.js")),
        isolate_styles=False,  # so that the menu with the downloads finds the picture
    )
