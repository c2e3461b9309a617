"""The section Faces: the images of a dataset in pages, with filters and order in the query string."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.data.quality.report import QualityReport
from fer_ui.datasets.faces.corrections_view import show_last_change
from fer_ui.datasets.faces.face_filter import ALL, MARKS, Filter, find_matching, label_options, split_options
from fer_ui.datasets.faces.face_grid import show_faces
from fer_ui.datasets.faces.face_order import BY_PREDICTION, OrderData, order_titles, sort_rows
from fer_ui.datasets.faces.image_details import load_details
from fer_ui.datasets.faces.predicted import describe_prediction
from fer_ui.datasets.faces.prediction_choice import choose_predictions, show_missing_predictions
from fer_ui.datasets.remembered_view import forget_view, remember_view
from fer_ui.datasets.reports import load_original_quality
from fer_ui.formatting import format_count, format_images, format_percent
from fer_ui.frame.header import empty_state
from fer_ui.query_params import QueryParam, get_param, param_selectbox, param_text_input
from fer_ui.resources import load_index


def show_faces_section(dataset: StoredDataset) -> None:
    """Show the filters, the number of matching images, and the images."""
    index = load_index(dataset)
    orders = order_titles(dataset.columns())
    with st.container(key="faces-filters", horizontal=True, vertical_alignment="center", gap="small"):
        filters, finding_rows = _choose_filters(dataset, index)
        order = param_selectbox("Order", orders, QueryParam.ORDER, in_header=True)
        predicted = choose_predictions(dataset)
        if filters != Filter():
            st.button("Reset filters", icon=":material/filter_alt_off:", type="tertiary", on_click=forget_view)
    remember_view("faces")
    positions = find_matching(index, filters, finding_rows)
    if not len(positions):
        _show_no_match(dataset, len(index))
        return
    if order in BY_PREDICTION and predicted is None:
        show_missing_predictions(dataset, orders[order].split(",")[0])
    data = OrderData(index["label"], lambda: load_details(dataset), predicted)
    show_faces(
        dataset,
        index,
        f"faces-{dataset.id}-{filters.label}-{filters.split}-{filters.mark}-{filters.finding}-{order}-{filters.find}",
        positions=sort_rows(positions, order, data),
        in_query=True,
        slot=f"faces-{dataset.id}",
        summary=summarize(len(positions), len(index)),
        describe=None if predicted is None else partial(describe_prediction, predicted, _row_numbers(index)),
    )


def summarize(found: int, total: int) -> str:
    """Count the matching images, in Markdown: "**12 images** of 100 (12.0 %)"."""
    share = "" if found == total else f" of {format_count(total)} ({format_percent(found / total)})"
    return f"**{format_images(found)}**{share}"


def _show_no_match(dataset: StoredDataset, total: int) -> None:
    show_last_change(dataset)
    empty_state(
        "No images match",
        f"The dataset has {format_images(total)}. Widen the filters above, or reset them.",
        links=lambda: st.button("Reset filters", key="reset-empty", on_click=forget_view),
    )


def _choose_filters(dataset: StoredDataset, index: pd.DataFrame) -> tuple[Filter, NDArray[np.int64] | None]:
    """Show the filters: expression and split, and the rarer ones in a popover whose label says what is chosen there."""
    label = param_selectbox("Expression", label_options(index), QueryParam.LABEL, in_header=True)
    split = param_selectbox("Split", split_options(index), QueryParam.SPLIT, in_header=True)
    chosen = [get_param(param) for param in (QueryParam.MARK, QueryParam.FINDING, QueryParam.FIND)]
    number = sum(value not in ("", ALL) for value in chosen)
    with st.popover(f"More filters ({number})" if number else "More filters", icon=":material/filter_list:"):
        mark = param_selectbox("Corrections", MARKS, QueryParam.MARK)
        finding, rows = _choose_finding(dataset)
        find = param_text_input("File name", QueryParam.FIND, placeholder="contains")
    return Filter(label, split, mark, find, finding), rows


def _choose_finding(dataset: StoredDataset) -> tuple[str, NDArray[np.int64] | None]:
    """Show the findings as options. They are looked for only once they are asked for: it takes a while."""
    if not get_param(QueryParam.FINDING) and not st.session_state.get("faces-findings"):
        st.button("Filter by quality finding", key="load-findings", on_click=_ask_for_findings)
        return ALL, None
    report: QualityReport = load_original_quality(dataset)
    titles = {ALL: "Any"} | {str(each.kind): each.message.title for each in report.findings}
    finding = param_selectbox("Quality finding", titles, QueryParam.FINDING)
    rows = next((each.rows for each in report.findings if each.kind == finding), None)
    return finding, rows


def _ask_for_findings() -> None:
    st.session_state["faces-findings"] = True


def _row_numbers(index: pd.DataFrame) -> dict[str, int]:
    return {image_id: number for number, image_id in enumerate(index["id"])}
