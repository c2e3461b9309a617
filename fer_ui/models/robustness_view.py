"""A model's robustness on a page: what costs it most, a panel a disturbance, and what the strengths look like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fer_core.corruptions.corruption import CORRUPTIONS, SEVERITIES, Corruption, rng_for
from fer_core.evaluation.robustness_report import RobustnessReport, describe_evaluation, read_robustness
from fer_core.faces import RgbImage
from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.chart_view import show_chart, titles_html
from fer_ui.charts.robustness import describe_worst_corruption, robustness_panels, robustness_table
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import interval, percent
from fer_ui.header import Headline, headline

_FACE_PX = 48
"""As large as a network sees it: grain and blocks of 8 px weigh on a larger face less."""

_ENLARGED = 2
_GAP_PX = 2
_DRAWN_PX = 160
_PERSON, _SHOT = 16, 5
"""Who is drawn, and how: a face that looks at us, evenly lit."""

_CROP_TOP_01, _CROP_LEFT_01, _CROP_SIDE_01 = 0.155, 0.17, 0.66
"""The part of the drawing that a face fills, its eyes where `fer_core.corruptions.corruption` has them."""


def show_robustness(folder: Path) -> None:
    """What a bundle's `robustness.json` says; nothing at all where it has none.

    Args:
        folder: the bundle's.
    """
    with show_errors():
        report = read_robustness(folder)
        if report is None:
            return
        _answer(report)
        show_chart(robustness_panels(report), f"robustness-{folder.name}", table=robustness_table(report))
        if known := same_as_here(report):
            with st.expander("What the strengths look like"):
                _pictures(known)


def same_as_here(report: RobustnessReport) -> list[Corruption]:
    """The report's disturbances that can be shown: another version's may have had other strengths."""
    measured = {curve.name: tuple(severity.parameter for severity in curve.severities) for curve in report.corruptions}
    return [each for each in CORRUPTIONS.values() if measured.get(each.name) == each.parameters]


def _answer(report: RobustnessReport) -> None:
    worst = report.worst()
    before = report.clean
    st.html(titles_html("Robustness", describe_worst_corruption(report)))
    headline(
        [
            Headline(
                "Macro-F1, undisturbed", percent(before.macro_f1), f"95 %: {interval(*before.intervals['macro_f1'])}"
            ),
            Headline(
                "Mean of all disturbances",
                percent(report.mean_macro_f1()),
                f"{len(report.corruptions)} disturbances, {SEVERITIES} strengths each",
            ),
            Headline(
                "Macro-F1 at worst",
                percent(worst.result.scores.macro_f1),
                f"{worst.curve.title}, strength {worst.severity}: {worst.result.description}",
            ),
        ]
    )
    st.caption(escape_markdown(f"{describe_evaluation(report)}."))


def _pictures(every: list[Corruption]) -> None:
    """A strip a disturbance: a drawn face as it is, then at each strength."""
    st.caption("A drawn face as it is, then at strengths 1 to 5. The figures above are of the dataset's own faces.")
    for start in range(0, len(every), 2):
        # A row at a time: on a phone the pairs stay in order.
        for column, each in zip(st.columns(2), every[start : start + 2], strict=False):
            with column:
                meanings = each.unit.format(join_words([f"{parameter:g}" for parameter in each.parameters]))
                st.markdown(f"**{escape_markdown(each.title)}**: {escape_markdown(meanings)}")
                st.image(example_strip(each.name), width="stretch", output_format="PNG", alt=_alt(each))
                st.caption(escape_markdown(each.note))


def _alt(each: Corruption) -> str:
    return f"{each.title}: a drawn face as it is, then {each.describe_range()}"


@st.cache_data(show_spinner=False, max_entries=len(CORRUPTIONS))
def example_strip(name: str) -> NDArray[np.uint8]:
    """A drawn face undisturbed and at the five strengths, side by side.

    Returns:
        uint8, shape (S, 6 S + gaps, 4), RGBA; the gaps are clear. Each pixel of the face is a square of four.
    """
    face = example_face()
    step = _FACE_PX + _GAP_PX
    strip = np.zeros((_FACE_PX, (SEVERITIES + 1) * step, 4), np.uint8)
    for severity in range(SEVERITIES + 1):
        left = severity * step + (_GAP_PX if severity else 0)  # the face as it is stands a little apart
        seen = CORRUPTIONS[name].apply(face, severity, rng_for(name, "example", 0))
        strip[:, left : left + _FACE_PX] = np.dstack([seen, np.full(seen.shape[:2], 255, np.uint8)])
    return strip.repeat(_ENLARGED, axis=0).repeat(_ENLARGED, axis=1)


def example_face() -> RgbImage:
    """The drawn face that stands for everybody; uint8, shape (S, S, 3), RGB."""
    import cv2

    from fer_core.data.synthetic.face import draw_face

    drawn = draw_face(Expression.HAPPINESS, _PERSON, np.random.default_rng(_SHOT), _DRAWN_PX)
    top, left, side = (round(share * _DRAWN_PX) for share in (_CROP_TOP_01, _CROP_LEFT_01, _CROP_SIDE_01))
    crop = drawn[top : top + side, left : left + side]
    return np.asarray(cv2.resize(crop, (_FACE_PX, _FACE_PX), interpolation=cv2.INTER_AREA), np.uint8)
