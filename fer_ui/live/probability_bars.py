"""Probability bars of the live view in plain HTML, as a Plotly chart would take 60 ms each second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fer_core.inference.abstention import REMEDIES
from fer_core.labels import Expression
from fer_core.live.smoothing import TrackedFace
from fer_ui.chart_view import titles_html
from fer_ui.charts.probabilities import describe_probabilities
from fer_ui.escaping import escape_html
from fer_ui.formatting import format_percent
from fer_ui.theme import expression_color, expression_outline, expression_title

_OTHERS_OPACITY = 0.7


def face_html(face: TrackedFace, confidence_threshold: float | None, faces: int = 1) -> str:
    """Build the HTML for a face: the prediction and a bar for each expression.

    Args:
        confidence_threshold: drawn as a dotted line; None draws none.
        faces: in view; of several, a note names the number of this one, which is in its label.
    """
    title, subtitle = describe_probabilities(face.label, face.confidence, face.uncertain, confidence_threshold)
    if face.uncertain:
        value = format_percent(face.confidence)
        remedy = REMEDIES.get(face.main_reason, "") if face.main_reason else ""
        subtitle = f"Most likely {face.label.value} ({value}), {face.reason}. {remedy}".rstrip()
    number = face.track_id if faces > 1 else None
    return titles_html(title, subtitle) + _bars(face.probabilities, face.label, confidence_threshold, number)


def empty_html(labels: Sequence[Expression], title: str, subtitle: str) -> str:
    """Build the same rows without values, so that nothing moves when a face comes into view."""
    return titles_html(title, subtitle) + _bars(dict.fromkeys(labels), None, None)


def _bars(
    probabilities: Mapping[Expression, float | None],
    label: Expression | None,
    confidence_threshold: float | None,
    number: int | None = None,
) -> str:
    rows = (_row(e, probabilities[e], e is label, confidence_threshold) for e in Expression if e in probabilities)
    notes = []
    if confidence_threshold is not None:
        notes.append(f"Dotted line: {format_percent(confidence_threshold)} needed.")
    if number is not None:
        notes.append(f"Face {number}, the largest.")
    note = escape_html(" ".join(notes))
    return f'<dl class="ferscope-bars">{"".join(rows)}</dl><p class="ferscope-bars-note">{note}</p>'


def _row(expression: Expression, value_01: float | None, strong: bool, confidence_threshold: float | None) -> str:
    """Build a row; the predicted expression is emphasized."""
    weight = f"font-weight:{600 if strong else 400}"
    bar_style = (
        f"width:{100 * (value_01 or 0.0):.1f}%;background:{expression_color(expression)};"
        f"border:{1 if value_01 else 0}px solid {expression_outline(expression)};"
        f"opacity:{1 if strong else _OTHERS_OPACITY}"
    )
    limit = ""
    if confidence_threshold is not None:
        limit = f'<span class="limit" style="left:{100 * confidence_threshold:.1f}%"></span>'
    number = "" if value_01 is None else format_percent(value_01)
    return (
        f'<dt style="{weight}">{expression_title(expression)}</dt>'
        f'<dd class="track"><span class="bar" style="{bar_style}"></span>{limit}</dd>'
        f'<dd class="number" style="{weight}">{escape_html(number) or "&nbsp;"}</dd>'
    )
