"""Read the properties of Plotly's figures that our own drawings use."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from html import unescape
from typing import Any

import numpy as np

from fer_ui.theme import PAGE, SERIES, TEXT, sequential_scale

Trace = Mapping[str, Any]
"""A trace of a figure as JSON."""

_TAG = re.compile(r"<[^>]+>")
_RGBA = re.compile(r"rgba\((.+), ?([\d.]+)\)")
_NAMED = {TEXT: "text", PAGE: "page"}
_LISTS = {"series": SERIES, "scale": [color for _, color in sequential_scale()]}


def decode(values: Any) -> np.ndarray:
    """Convert the values of a trace, which Plotly may have encoded, to numbers; None becomes NaN."""
    if isinstance(values, dict):
        values = np.frombuffer(b64decode(values["bdata"]), values["dtype"])
    return np.asarray(values, float)


def numbers(values: Any) -> list[float]:
    """Convert lengths to numbers; NaN, an undefined length, becomes 0."""
    return [float(value) for value in np.nan_to_num(decode(values)).tolist()]


def pick(value: Any, number: int) -> Any:
    """Pick the entry of a bar or point, where a property has one for each."""
    return value[number] if isinstance(value, list | tuple | np.ndarray) else value


def plain_values(values: Any, number: int) -> list[Any] | None:
    """Get the `customdata` of a bar as plain values; None if it has none."""
    if values is None:
        return None
    value = np.asarray(values[number], object)
    return [each.item() if isinstance(each, np.generic) else each for each in np.atleast_1d(value)]


def split_opacity(color: str) -> tuple[str, float]:
    """Split `rgba(…)` into its opaque color and its opacity."""
    found = _RGBA.fullmatch(color)
    return (f"rgb({found[1]})", float(found[2])) if found else (color, 1.0)


def color_name(color: str) -> str:
    """Convert a placeholder of Streamlit's chart theme to the name by which `chart_parts.js` knows the color."""
    for name, colors in _LISTS.items():
        if color in colors:
            return f"{name}{colors.index(color)}"
    return _NAMED.get(color, color)


def plain_text(html: str) -> str:
    """Convert one of Plotly's texts to plain text on one line."""
    return unescape(_TAG.sub("", html.replace("<br>", " ")))
