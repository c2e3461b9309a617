"""A model's robustness on a page: heat map with the summary beside it, curves, and example images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fer_core.corruptions.corruption import CORRUPTIONS, SEVERITIES, Corruption, rng_for
from fer_core.data.dataset_title import dataset_title
from fer_core.evaluation.robustness_report import RobustnessReport, describe_evaluation, describe_worst, read_robustness
from fer_core.faces import RgbImage
from fer_core.labels import Expression
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.chart_view import show_chart
from fer_ui.charts.robustness import robustness_heatmap, robustness_panels, robustness_table
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_interval, format_percent
from fer_ui.frame.header import Headline, headline
from fer_ui.frame.view_layout import chart_and_numbers, verdict

_FACE_PX = 48
"""The input size of a small network: noise and JPEG blocks matter less on a larger face."""

_ENLARGEMENT = 2
_GAP_PX = 2
_DRAWN_PX = 160
_IDENTITY_SEED, _IMAGE_SEED = 16, 5
"""A frontal, evenly lit synthetic face."""

_CROP_TOP_01, _CROP_LEFT_01, _CROP_SIDE_01 = 0.155, 0.17, 0.66
"""The face within the image, its eyes where `fer_core.corruptions.corruption` expects them."""


def show_robustness(folder: Path) -> None:
    """Show the `robustness.json` in a model's folder, or nothing if it has none."""
    with show_errors():
        report = read_robustness(folder)
        if report is None:
            return
        view = chart_and_numbers("robustness")
        with view.numbers:
            _show_summary(report)
        with view.chart:
            show_chart(robustness_heatmap(report), f"robustness-{folder.name}", table=robustness_table(report))
        with st.expander("Curves with 95 % intervals", icon=":material/show_chart:"):
            show_chart(robustness_panels(report), f"robustness-curves-{folder.name}", table=robustness_table(report))
        if known := reproducible_corruptions(report):
            with st.expander("Example images", icon=":material/image:"):
                _show_examples(known)


def reproducible_corruptions(report: RobustnessReport) -> list[Corruption]:
    """Find the report's corruptions whose severities are the same in this version, so that they can be shown."""
    measured = {curve.name: tuple(severity.parameter for severity in curve.severities) for curve in report.corruptions}
    return [known for known in CORRUPTIONS.values() if measured.get(known.name) == known.parameters]


def _show_summary(report: RobustnessReport) -> None:
    worst = report.worst()
    clean = report.clean
    verdict(describe_worst(report))
    headline(
        [
            Headline(
                "Macro-F1, clean",
                format_percent(clean.macro_f1),
                f"95 %: {format_interval(*clean.intervals['macro_f1'])}",
            ),
            Headline(
                "Mean over corruptions",
                format_percent(report.mean_macro_f1()),
                f"{len(report.corruptions)} corruptions, {SEVERITIES} severities each",
            ),
            Headline(
                "Worst macro-F1",
                format_percent(worst.result.scores.macro_f1),
                f"{worst.curve.title}, severity {worst.severity}: {worst.result.description}",
            ),
        ]
    )
    titled = report.model_copy(update={"dataset": dataset_title(report.dataset, settings())})
    st.caption(escape_markdown(f"{describe_evaluation(titled)}."))


def _show_examples(corruptions: list[Corruption]) -> None:
    """Show a strip for each corruption: a clean synthetic face, then each severity."""
    st.caption("A clean synthetic face, then severities 1 to 5. The metrics above are for the dataset's own faces.")
    for start in range(0, len(corruptions), 2):
        # Row by row, so that the order is kept on a phone.
        for column, corruption in zip(st.columns(2), corruptions[start : start + 2], strict=False):
            with column:
                parameters = corruption.unit.format(join_words([f"{value:g}" for value in corruption.parameters]))
                st.markdown(f"**{escape_markdown(corruption.title)}**: {escape_markdown(parameters)}")
                alt = f"{corruption.title}: a clean synthetic face, then {corruption.describe_range()}"
                st.image(example_strip(corruption.name), width="stretch", output_format="PNG", alt=alt)
                st.caption(escape_markdown(corruption.note))


@st.cache_data(show_spinner=False, max_entries=len(CORRUPTIONS))
def example_strip(name: str) -> NDArray[np.uint8]:
    """Build an image of a synthetic face, clean and at the five severities, side by side.

    Returns:
        uint8, shape (S, 6 S + gaps, 4), RGBA; the gaps are clear. Each pixel of the face is a square of four.
    """
    face = example_face()
    step = _FACE_PX + _GAP_PX
    strip = np.zeros((_FACE_PX, (SEVERITIES + 1) * step, 4), np.uint8)
    for severity in range(SEVERITIES + 1):
        left = severity * step + (_GAP_PX if severity else 0)  # a gap after the clean face
        image = CORRUPTIONS[name].apply(face, severity, rng_for(name, "example", 0))
        strip[:, left : left + _FACE_PX] = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    return strip.repeat(_ENLARGEMENT, axis=0).repeat(_ENLARGEMENT, axis=1)


def example_face() -> RgbImage:
    """Draw the synthetic face of the examples; uint8, shape (S, S, 3), RGB."""
    import cv2

    from fer_core.data.synthetic.face import draw_face

    image = draw_face(Expression.HAPPINESS, _IDENTITY_SEED, np.random.default_rng(_IMAGE_SEED), _DRAWN_PX)
    top, left, side = (round(share * _DRAWN_PX) for share in (_CROP_TOP_01, _CROP_LEFT_01, _CROP_SIDE_01))
    crop = image[top : top + side, left : left + side]
    return np.asarray(cv2.resize(crop, (_FACE_PX, _FACE_PX), interpolation=cv2.INTER_AREA), np.uint8)
