"""The sections of the Evaluation page, as a row of tabs; the address says which is open."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fer_core.runs.folder import Run
from fer_ui.evaluation.calibration_view import show_calibration
from fer_ui.evaluation.compare_view import chosen_difference, show_comparison
from fer_ui.evaluation.confusion_view import show_confusion_section
from fer_ui.evaluation.download_view import show_downloads
from fer_ui.evaluation.embedding_view import show_map
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.evaluation.label_error_view import show_label_errors
from fer_ui.evaluation.offer_view import show_needs_predictions
from fer_ui.evaluation.report_view import show_class_metrics
from fer_ui.evaluation.scores_view import show_scores
from fer_ui.evaluation.slice_view import show_slices
from fer_ui.evaluation.threshold_view import show_thresholds
from fer_ui.query_params import QueryParam, param_tabs
from fer_ui.training.retrain_view import show_retraining


def show_sections(evaluation: Evaluation) -> None:
    """Show the tabs and the section that is open."""
    with st.container(key="evaluation-retraining"):  # always, so that what is below keeps its place and the focus
        if evaluation.model.kind == "run":
            show_retraining(Run(evaluation.model.folder))
    titles = {name: title for name, (title, _) in _SECTIONS.items()}
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="evaluation-tabs"):
        section = param_tabs("Section", titles, QueryParam.SECTION)
        show_downloads(evaluation)
    _SECTIONS[section][1](evaluation)


def _show_confusion(evaluation: Evaluation) -> None:
    show_confusion_section(evaluation, lambda: chosen_difference(evaluation))


def _show_classes(evaluation: Evaluation) -> None:
    show_class_metrics(evaluation.report, evaluation.key)


def _with_predictions(show: Callable[[Evaluation], None]) -> Callable[[Evaluation], None]:
    """Show a section only where the predictions of every image are stored, else how to get them."""

    def show_or_offer(evaluation: Evaluation) -> None:
        (show if evaluation.images is not None else show_needs_predictions)(evaluation)

    return show_or_offer


_SECTIONS: dict[str, tuple[str, Callable[[Evaluation], None]]] = {
    "confusion": ("Confusion matrix", _show_confusion),
    "scores": ("Scores", _with_predictions(show_scores)),
    "classes": ("Classes", _show_classes),
    "thresholds": ("Thresholds", _with_predictions(show_thresholds)),
    "calibration": ("Calibration", show_calibration),
    "slices": ("Slices", _with_predictions(show_slices)),
    "label-errors": ("Label errors", _with_predictions(show_label_errors)),
    "map": ("Map", _with_predictions(show_map)),
    "compare": ("Compare", _with_predictions(show_comparison)),
}
