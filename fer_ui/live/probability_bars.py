"""Probability bars of the live view in plain HTML, as a Plotly chart would take 60 ms each second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fer_core.labels import Expression
from fer_core.live.smoothing import TrackedFace
from fer_ui.chart_view import titles_html
from fer_ui.charts.probabilities import describe_probabilities
from fer_ui.escaping import escape_html
from fer_ui.formatting import format_percent
from fer_ui.theme import MUTED, expression_color, expression_outline, expression_title

_GRID = (
    "display:grid;grid-template-columns:max-content 1fr max-content;gap:0.3rem 0.75rem;align-items:center;"
    "margin:0.4rem 0 0;padding:0"
)
_TRACK = "position:relative;margin:0;padding:0;height:1.05rem"
_BAR = "position:absolute;inset:0 auto 0 0;box-sizing:border-box"
_LIMIT = "position:absolute;top:-0.15rem;bottom:-0.15rem;border-left:1px dotted currentColor;opacity:0.6"
_NUMBER = "margin:0;padding:0;text-align:right;min-width:4.25em;font-variant-numeric:tabular-nums"
_NOTE = f"margin:0.35rem 0 0;font-size:0.8125rem;{MUTED}"
_OTHERS_OPACITY = 0.7


def face_html(face: TrackedFace, confidence_threshold: float | None) -> str:
    """Build the HTML for a face: the prediction and a bar for each expression.

    Args:
        confidence_threshold: drawn as a dotted line; None draws none.
    """
    title, subtitle = describe_probabilities(face.label, face.confidence, face.uncertain, confidence_threshold)
    if face.uncertain:
        subtitle = f"{expression_title(face.label)} {format_percent(face.confidence, 0)}, {face.reason}."
    return titles_html(title, subtitle) + _bars(face.probabilities, face.label, confidence_threshold)


def empty_html(labels: Sequence[Expression], title: str, subtitle: str) -> str:
    """Build the same rows without values, so that nothing moves when a face comes into view."""
    return titles_html(title, subtitle) + _bars(dict.fromkeys(labels), None, None)


def _bars(
    probabilities: Mapping[Expression, float | None], label: Expression | None, confidence_threshold: float | None
) -> str:
    rows = (_row(e, probabilities[e], e is label, confidence_threshold) for e in Expression if e in probabilities)
    note = (
        "" if confidence_threshold is None else f"Dotted line: certain from {format_percent(confidence_threshold, 0)}."
    )
    return f'<dl style="{_GRID}">{"".join(rows)}</dl><p style="{_NOTE}">{escape_html(note) or "&nbsp;"}</p>'


def _row(expression: Expression, value_01: float | None, strong: bool, confidence_threshold: float | None) -> str:
    """Build a row; the predicted expression is emphasized."""
    weight = f"font-weight:{600 if strong else 400}"
    bar_style = (
        f"{_BAR};width:{100 * (value_01 or 0.0):.1f}%;background:{expression_color(expression)};"
        f"border:{1 if value_01 else 0}px solid {expression_outline(expression)};"
        f"opacity:{1 if strong else _OTHERS_OPACITY}"
    )
    limit = (
        "" if confidence_threshold is None else f'<span style="{_LIMIT};left:{100 * confidence_threshold:.1f}%"></span>'
    )
    number = "" if value_01 is None else format_percent(value_01)
    return (
        f'<dt style="margin:0;padding:0;{weight}">{expression_title(expression)}</dt>'
        f'<dd style="{_TRACK}"><span style="{bar_style}"></span>{limit}</dd>'
        f'<dd style="{_NUMBER};{weight}">{escape_html(number) or "&nbsp;"}</dd>'
    )
