"""One model on a page: its metrics, calibration, robustness, card and files."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.reports import SplitReports, read_report, reports_by_split
from fer_core.data.dataset_title import dataset_title
from fer_core.evaluation.robustness_report import ROBUSTNESS_FILE
from fer_core.settings import settings
from fer_core.text import capitalize_first
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count
from fer_ui.frame.header import SYNTHETIC_NOTE, empty_state, notice
from fer_ui.model_choices import NOT_CALIBRATED
from fer_ui.models.activation import request_activation
from fer_ui.models.files_view import show_card, show_files
from fer_ui.models.metrics_view import show_calibration, show_confusion, show_metrics
from fer_ui.models.robustness_view import show_robustness
from fer_ui.models.table_view import SET_ACTIVE
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_tabs

_KINDS = {"shipped": "shipped with FERscope", "run": "training run", "imported": "imported"}
_SECTIONS = {
    "metrics": "Metrics",
    "confusion": "Confusion matrix",
    "calibration": "Calibration",
    "robustness": "Robustness",
    "card": "Model card",
    "files": "Files",
}
_REPORT_SECTIONS: dict[str, Callable[[ModelEntry, SplitReports], None]] = {
    "metrics": show_metrics,
    "confusion": show_confusion,
    "calibration": show_calibration,
}


def show_model(model: ModelEntry, active_id: str, header: DeltaGenerator) -> None:
    """Show a model's sections; the header tells whether it is in use, or offers to use it.

    Args:
        active_id: of the model in use.
        header: the page's header row.
    """
    with header:
        if model.id == active_id:
            st.badge("In use", icon=":material/check:", color="green")
        elif st.button(SET_ACTIVE, key=f"use-{model.id}", type="primary"):
            with show_errors():
                request_activation(model, active_id)
    section = param_tabs("Section", _SECTIONS, QueryParam.SECTION)
    with show_errors():
        _show_section(section, model)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(escape_markdown(describe_model(model)), width="content")
        if model.kind == "run":
            link_to(Page.TRAINING, "Training curves", run=model.id)
        link_to(Page.MODELS, "All models")


def describe_model(model: ModelEntry) -> str:
    """Describe where a model is from, its size and its training data."""
    info = model.info
    data = f"trained on {dataset_title(info.dataset, settings())}" if info.dataset else "training data unknown"
    parameters = f"{format_count(info.parameters)} parameters" if info.parameters else ""
    return capitalize_first(", ".join(filter(None, (_KINDS[model.kind], f"id {model.id}", parameters, data))))


def _show_section(section: str, model: ModelEntry) -> None:
    if section in _REPORT_SECTIONS:
        if splits := reports_by_split(read_report(model.folder)):
            _REPORT_SECTIONS[section](model, splits[0])
        else:
            _show_not_evaluated(model)
    elif section == "robustness":
        _show_robustness(model)
    elif section == "card":
        show_card(model)
    else:
        show_files(model)
    if model.info.synthetic and section != "files":
        notice("info", SYNTHETIC_NOTE)


def _show_not_evaluated(model: ModelEntry) -> None:
    notice("warning", NOT_CALIBRATED)
    empty_state(
        "Not evaluated yet",
        "Import it again with a dataset to calibrate and evaluate it on, or evaluate it with the command below.",
        links=lambda: link_to(Page.MODELS, "Import again", view="import"),
    )
    st.code(f"python -m fer_core evaluate --model {model.id} --data DATASET --split test", "sh", wrap_lines=True)


def _show_robustness(model: ModelEntry) -> None:
    if (model.folder / ROBUSTNESS_FILE).is_file():
        show_robustness(model.folder)
        return
    empty_state(
        "Robustness not measured yet",
        "The command below measures it under blur, darkness, JPEG, low resolution, rotation and occlusion, at five "
        "severities each.",
    )
    target = "--save" if model.kind == "run" else f"--out {shlex.quote(str(model.folder / ROBUSTNESS_FILE))}"
    st.code(f"python -m fer_core robustness --model {model.id} --data DATASET {target}", "sh", wrap_lines=True)
