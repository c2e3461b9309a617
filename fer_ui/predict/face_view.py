"""The answer for each face of a photo, in words, and its probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.inference.abstention import top_two
from fer_core.inference.predictor import FacePrediction
from fer_core.labels import Expression
from fer_core.text import capitalize_first
from fer_ui.chart_view import show_chart
from fer_ui.charts.probabilities import describe_probabilities, probability_bars
from fer_ui.escaping import escape_html
from fer_ui.formatting import format_percent
from fer_ui.theme import expression_color, expression_outline, text_on

_CROP_PX = 64
_CHARTS_A_ROW, _CHART_PX = 4, 250


def show_answers(key: str, faces: Sequence[FacePrediction], confidence_threshold: float | None) -> None:
    """Show a row for each face: its number, the face as the model sees it, and what it is read as.

    Args:
        key: of the photo, unique on the page.
    """
    for number, face in enumerate(faces, 1):
        with st.container(key=f"answer-{key}-{number}", horizontal=True, vertical_alignment="center", gap="small"):
            st.image(face.crop, width=_CROP_PX, alt=f"Face {number} as the model sees it")
            st.html(answer_html(number, face, confidence_threshold))


def show_probabilities(key: str, faces: Sequence[FacePrediction], confidence_threshold: float | None) -> None:
    """Show the probabilities of each face as bars."""
    grid = st.grid(min(max(len(faces), 1), _CHARTS_A_ROW), min_column_width=_CHART_PX, gap="small")
    for number, face in enumerate(faces, 1):
        figure = probability_bars(face.probabilities, face.uncertain, confidence_threshold)
        figure.layout.meta = {**figure.layout.meta, "title": f"Face {number}: {figure.layout.meta['title'].lower()}"}
        with grid.cell():
            show_chart(figure, f"{key}-face-{number}", table=probability_table(face))


def answer_html(number: int, face: FacePrediction, confidence_threshold: float | None) -> str:
    """Build the HTML of an answer: the number of the box, the label, the confidence, and the doubt in words."""
    color = expression_color(face.label)
    disc = (
        f'<span class="ferscope-disc" style="background:{color};color:{text_on(color)};'
        f'border-color:{expression_outline(face.label)}">{number}</span>'
    )
    title, detail = describe_answer(face, confidence_threshold)
    return (
        f'<div class="ferscope-answer">{disc}<div><p class="ferscope-card-value">{escape_html(title)}</p>'
        f'<p class="ferscope-card-detail">{escape_html(detail)}</p></div></div>'
    )


def describe_answer(face: FacePrediction, confidence_threshold: float | None) -> tuple[str, str]:
    """Describe what a face is read as: the answer, and the next likely expression or the reason of the doubt."""
    if not face.uncertain:
        title = f"{capitalize_first(face.label.value)} {format_percent(face.confidence)}"
        _, (second, value_01) = top_two(face.probabilities)
        others = f"Then {second.value}, {format_percent(value_01)}." if value_01 >= 0.01 else "All others below 1 %."
        return title, others
    title, likeliest = describe_probabilities(face.label, face.confidence, True, confidence_threshold)
    reasons = [reason for reason in face.reason.split("; ") if not reason.endswith("needed")]
    return title, " ".join([likeliest, *(f"{capitalize_first(reason)}." for reason in reasons)])


def probability_table(face: FacePrediction) -> pd.DataFrame:
    """Tabulate the probabilities of a face: `expression` and `probability`, 0..1."""
    rows = [(each.value, face.probabilities[each]) for each in Expression if each in face.probabilities]
    return pd.DataFrame(rows, columns=["expression", "probability"])
