"""The confusion matrix on a page: drawn by `confusion_matrix.js`, as cells that can be reached by keyboard.

Those of Plotly's heat map can't be, and loading Plotly takes longer than the rest of a page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fer_core.labels import Expression
from fer_ui.chart_view import get_chart_key, show_titles
from fer_ui.charts.confusion import TITLE, Shown, confusion_table, describe_confusion, matrix_data
from fer_ui.charts.layout import Titles
from fer_ui.drawing.component import drawing_component

matrix_component = drawing_component("confusion_matrix", role="grid")
"""Shows rows of cells; see `charts.confusion.matrix_data`."""


def show_confusion_matrix(
    confusion: NDArray[np.integer],
    labels: Sequence[Expression],
    key: str,
    *,
    shown: Shown = "counts",
    difference: NDArray[np.floating] | None = None,
    chosen: tuple[str, str] | None = None,
    on_click: Callable[[str, str], None] | None = None,
) -> None:
    """Show a confusion matrix with its titles and downloads.

    Args:
        confusion: counts, shape (K, K), true classes in rows, predicted ones in columns.
        labels: the K classes.
        key: of the element; with hyphens, as it also names the downloaded files.
        shown, difference: see `charts.confusion.matrix_data`.
        chosen: label and prediction of the cell that is marked.
        on_click: called with label and prediction of a clicked cell, before the rerun that the click causes.
    """
    titles = Titles(TITLE, describe_confusion(confusion, labels))
    chart_key = get_chart_key(key)

    def report() -> None:
        if on_click is not None and (cell := st.session_state[chart_key].get("cell")):
            on_click(*cell)

    with st.container(gap="xsmall"):
        show_titles(titles, key, confusion_table(confusion, labels))
        data = {
            **matrix_data(confusion, labels, shown=shown, difference=difference),
            "title": f"{titles.title}. {titles.subtitle}",
            "theme": st.context.theme.type,
            "clickable": on_click is not None,
            "chosen": chosen,
        }
        matrix_component(key=chart_key, data=data, on_cell_change=report)
