"""The section Confusion matrix: the matrix, what it hides, and the faces behind a cell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fer_core.evaluation.analysis.class_order import cluster_classes
from fer_core.evaluation.analysis.confusions import Confusion, find_confusions
from fer_core.labels import Expression
from fer_ui.charts.confusion import Shown
from fer_ui.drawing.confusion_matrix import show_confusion_matrix
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.cell_view import chosen_cell, show_cell
from fer_ui.evaluation.describe_data import describe_evaluated_images
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.evaluation.label_mapping_view import show_label_mapping
from fer_ui.evaluation.report_view import CELLS, show_numbers
from fer_ui.formatting import format_count, format_percent
from fer_ui.frame.header import SYNTHETIC_NOTE, notice
from fer_ui.frame.view_layout import chart_and_numbers
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_segmented_control

_PAIRS = 4
_ORDERS = {"usual": "Usual order", "similar": "Similar together"}
_HOW_TO_READ = (
    "**Macro-F1** and **balanced accuracy** (the mean recall) count every expression alike, however rare it is.",
    "**Accuracy** is the share of all images that are right; the common expressions decide it.",
    "**Calibration error (ECE)** is the mean gap between confidence and accuracy, in 15 bins.",
    "Intervals are 95 %. An expression with few images has a wide one: treat its metrics as a hint.",
    "**Labels** by *majority*: single votes are dropped, and the winner needs more than half of the rest.",
    "**Labels** by *most frequent vote*: the label with the most votes; ties are excluded.",
    "**Operating point**: *accurate* has the highest accuracy, *balanced* finds more of the rare expressions.",
)

Difference = Callable[[], tuple[str, NDArray[np.floating]] | None]
"""Computes the row shares minus another model's, shape (K, K), with the title of that model; None without one."""


@st.fragment
def show_confusion_section(evaluation: Evaluation, difference: Difference) -> None:
    """Show the confusion matrix with the numbers beside it and, below, the faces of the chosen cell."""
    report = evaluation.report
    view = chart_and_numbers("evaluation")
    with view.numbers:
        show_numbers(report, describe_evaluated_images(evaluation))
        if evaluation.model.info.synthetic:
            notice("info", SYNTHETIC_NOTE)
        if not evaluation.is_own:
            show_label_mapping(evaluation)
        with st.expander("How to read these numbers", icon=":material/info:"):
            st.markdown("\n".join(f"- {line}" for line in _HOW_TO_READ))
        link_to(Page.MODELS, "Calibration, robustness and model card", model=evaluation.model.id)
    with view.chart:
        _show_matrix(evaluation, difference)
        _show_pairs(evaluation)
    if evaluation.images is not None and chosen_cell(evaluation.images.labels):
        show_cell(evaluation)


def _show_matrix(evaluation: Evaluation, difference: Difference) -> None:
    """Show the matrix, with the choice of what its cells show and of the order of its classes below it."""
    report, has_images = evaluation.report, evaluation.images is not None
    chart = st.container()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        other = difference() if has_images else None
        cells: dict[Shown, str] = {**CELLS, "difference": f"Difference from {other[0]}"} if other else {**CELLS}
        shown = param_segmented_control("Cells", cells, QueryParam.VIEW, in_header=True)
        order = param_segmented_control("Order of the classes", _ORDERS, QueryParam.ORDER, in_header=True)
    confusion = report.metrics.confusion
    places = cluster_classes(confusion) if order == "similar" else list(range(len(report.labels)))
    with chart:
        show_confusion_matrix(
            confusion[np.ix_(places, places)],
            [report.labels[place] for place in places],
            f"confusion-{evaluation.key}",
            shown=shown,
            difference=other[1][np.ix_(places, places)] if other else None,
            chosen=chosen_cell(report.labels) if has_images else None,
            on_click=_open_cell if has_images else None,
        )


def _show_pairs(evaluation: Evaluation) -> None:
    """Name the most frequent confusions; each leads to its faces."""
    report = evaluation.report
    pairs = find_confusions(report.metrics.confusion, report.labels)[:_PAIRS]
    if not pairs:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="confused-pairs"):
        st.markdown("**Most confused**", width="content")
        for pair in pairs:
            text = escape_markdown(_describe_pair(pair))
            if evaluation.images is None:
                st.markdown(text, width="content")
                continue
            cell = (str(pair.label), str(pair.predicted))
            st.button(text, key=f"pair-{'-'.join(cell)}", type="tertiary", on_click=_open_cell, args=cell)


def _describe_pair(pair: Confusion) -> str:
    share = format_percent(pair.number / pair.support)
    return (
        f"{pair.label.value.capitalize()} as {pair.predicted.value}: {format_count(pair.number)} of "
        f"{format_count(pair.support)} ({share})"
    )


def _open_cell(label: str, predicted: str) -> None:
    """Put a cell into the address, in a callback; a second click on it closes it."""
    value = f"{Expression(label)}~{Expression(predicted)}"
    if st.query_params.get(QueryParam.CELL) == value:
        del st.query_params[QueryParam.CELL]
    else:
        st.query_params[QueryParam.CELL] = value
