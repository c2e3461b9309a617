"""Read and press elements of a page in Streamlit's AppTest."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

from streamlit.testing.v1 import AppTest

_DRAWING = {"rows", "lines"}
"""Keys of the data of bars and matrices, and of lines."""


def page_html(app: AppTest) -> str:
    """Join the HTML elements of a page."""
    return " ".join(element.proto.body for element in app.get("html"))  # type: ignore[union-attr]


def page_text(app: AppTest) -> str:
    """Join the texts and HTML elements of a page, without Markdown escapes."""
    texts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.success]
    joined = " ".join([*(str(element.value) for element in texts), page_html(app)])
    return joined.replace("\\", "").replace("&nbsp;", " ").replace("\xa0", " ")


def headlines(app: AppTest) -> dict[str, str]:
    """Map the titles of the headline numbers of a page to their texts."""
    cells = re.findall(r"<dt[^>]*>(.*?)</dt><dd[^>]*>(.*?)</dd>", page_html(app))
    return {title: unescape(text).replace("\xa0", " ") for title, text in cells}


def progress_bars(app: AppTest) -> list[tuple[str, str]]:
    """List the name, for screen readers, and the text of each progress bar."""
    bars = re.findall(
        r'<div class="ferscope-progress">(?:<span>(.*?)</span>)?<div [^>]*aria-label="(.*?)"', page_html(app)
    )
    return [(unescape(name), unescape(text).replace("\xa0", " ")) for text, name in bars]


def press(app: AppTest, label: str) -> AppTest:
    """Press the first button with a label."""
    return next(button for button in app.button if button.label == label).click().run()


def component_data(app: AppTest) -> list[object]:
    """Read what the components of a page get from the script, in their order."""
    found = [element.proto.json for element in app.get("bidi_component")]  # type: ignore[union-attr]
    return [json.loads(data) for data in found if data]


def charts(app: AppTest) -> list[str]:
    """List the titles of the charts of a page, in their order: those of Plotly first."""
    plots = [element.proto.alt for element in app.get("plotly_chart")]  # type: ignore[union-attr]
    drawings = [data["title"] for data in component_data(app) if isinstance(data, dict) and _DRAWING & set(data)]
    return [title.partition(". ")[0] for title in (*plots, *drawings)]


def matrix_of(app: AppTest) -> dict[str, Any]:
    """Get the data of the confusion matrix."""
    return next(data for data in component_data(app) if isinstance(data, dict) and "cells" in data)
