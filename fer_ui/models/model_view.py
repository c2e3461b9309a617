"""A model on a page: a summary, or opened with its metrics, card and files."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import streamlit as st

from fer_core.bundles.catalog import ModelEntry, set_active_model
from fer_core.bundles.reports import SplitReports, read_report, reports_by_split
from fer_core.data.record import SPLIT_TITLES
from fer_core.evaluation.predictions import describe_protocol
from fer_core.evaluation.robustness_report import ROBUSTNESS_FILE
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.report_view import score_headlines
from fer_ui.formatting import format_count
from fer_ui.frame.header import SYNTHETIC_NOTE, empty_state, headline
from fer_ui.models.files_view import show_card, show_files
from fer_ui.models.metrics_view import show_calibration, show_confusion, show_metrics
from fer_ui.models.robustness_view import show_robustness
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam, param_segmented_control

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


def show_model(model: ModelEntry, *, in_use: bool, opened: bool) -> None:
    """Show a model in a frame: its summary or, if `opened`, its sections."""
    info = model.info
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{escape_markdown(info.title)}**", width="stretch")
            if not opened and st.button("Details", key=f"open-{model.id}", type="tertiary"):
                go_to(Page.MODELS, model=model.id)
            if in_use:
                st.badge("In use", icon=":material/check:", color="green")
            elif st.button("Use", key=f"use-{model.id}"):
                with show_errors():
                    set_active_model(model.id, settings())
                    st.rerun()
        facts = [_KINDS[model.kind], model.id, f"{format_count(info.parameters)} parameters" if info.parameters else ""]
        facts.append(f"trained on {info.dataset}" if info.dataset else "training data unknown")
        st.caption(escape_markdown(", ".join(filter(None, facts))))
        if info.synthetic:
            st.caption(f":material/info: {SYNTHETIC_NOTE}")
        if opened:
            _show_sections(model)
        elif info.metrics.get("n"):
            _show_scores(info.metrics)
        else:
            st.caption("Not evaluated yet.")


def _show_sections(model: ModelEntry) -> None:
    """Show the chosen section of the opened model."""
    section = param_segmented_control("Section", _SECTIONS, QueryParam.SECTION)
    with show_errors():
        if section in _REPORT_SECTIONS:
            if splits := reports_by_split(read_report(model.folder)):
                _REPORT_SECTIONS[section](model, splits[0])
            else:
                empty_state(
                    "Not evaluated yet",
                    "This model has no metrics, and its probabilities are not calibrated. Import it again with a "
                    "dataset to calibrate on, or run `python -m fer_core evaluate` with its id.",
                )
        elif section == "robustness":
            _show_robustness(model)
        elif section == "card":
            show_card(model)
        else:
            show_files(model)
    if model.kind == "run" and section in ("metrics", "confusion"):
        link_to(Page.EVALUATION, "Evaluation", run=model.id)


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


def _show_scores(metrics: dict[str, Any]) -> None:
    headline(score_headlines(metrics, metrics.get("intervals") or {}))
    split = SPLIT_TITLES.get(metrics["split"], metrics["split"])
    labels = describe_protocol(str(metrics.get("protocol", "")))
    where = ", ".join(filter(None, (f"the {split} split", labels, "accurate point")))
    st.caption(escape_markdown(f"On the {format_count(metrics['n'])} labeled images of {where}."))
