"""A model on a page: in short among the others, or opened, with its figures, card and files."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import streamlit as st

from fer_core.bundles.catalog import ModelEntry, use_model
from fer_core.bundles.reports import SPLIT_TITLES, SplitReports, read_report, reports_by_split
from fer_core.evaluation.predictions import describe_protocol
from fer_core.evaluation.robustness_report import REPORT_FILE as ROBUSTNESS_FILE
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count
from fer_ui.header import empty_state
from fer_ui.models.files_view import show_card, show_files
from fer_ui.models.metrics_view import show_calibration, show_confusion, show_metrics, show_scores
from fer_ui.models.robustness_view import show_robustness
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam, param_segmented_control

_KINDS = {"shipped": "ships with FERscope", "run": "a run of this store", "imported": "imported"}
_SECTIONS = {
    "metrics": "Metrics",
    "confusion": "Confusion",
    "calibration": "Calibration",
    "robustness": "Robustness",
    "card": "Model card",
    "files": "Proof and files",
}
_JUDGED: dict[str, Callable[[ModelEntry, SplitReports], None]] = {
    "metrics": show_metrics,
    "confusion": show_confusion,
    "calibration": show_calibration,
}


def show_model(model: ModelEntry, *, in_use: bool, opened: bool) -> None:
    """One model in a frame of its own."""
    info = model.info
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{escape_markdown(info.title)}**", width="stretch")
            if not opened and st.button("Look at it", key=f"open-{model.id}", type="tertiary"):
                go_to(Page.MODELS, model=model.id)
            if in_use:
                st.badge("In use", icon=":material/check:", color="green")
            elif st.button("Use it", key=f"use-{model.id}"):
                with show_errors():
                    use_model(model.id, settings())
                    st.rerun()
        facts = [_KINDS[model.kind], model.id, f"{count(info.parameters)} parameters" if info.parameters else ""]
        facts.append(f"trained on {info.dataset}" if info.dataset else "training data unknown")
        st.caption(escape_markdown(", ".join(fact for fact in facts if fact)))
        if info.synthetic:
            st.caption(":material/draw: Trained on drawings: its figures say nothing about people.")
        if opened:
            _sections(model)
        elif info.metrics.get("n"):
            _scores(info.metrics)
        else:
            st.caption("Nothing was measured with it here yet.")


def _sections(model: ModelEntry) -> None:
    """What is asked about the opened model."""
    section = param_segmented_control("About it", _SECTIONS, QueryParam.SECTION)
    with show_errors():
        if section in _JUDGED:
            splits = reports_by_split(read_report(model.folder))
            if splits:
                _JUDGED[section](model, splits[0])
            else:
                _unmeasured()
        elif section == "robustness":
            _robustness(model)
        elif section == "card":
            show_card(model)
        else:
            show_files(model)
    if model.kind == "run" and section in ("metrics", "confusion"):
        link_to(Page.EVALUATION, "Its evaluation", run=model.id)


def _unmeasured() -> None:
    empty_state(
        "Nothing was measured with it here yet",
        "How well it does is not known, and its probabilities are as the network gives them. Import it again with a "
        "dataset to calibrate on, or run `python -m fer_core evaluate` with its id.",
    )


def _robustness(model: ModelEntry) -> None:
    if (model.folder / ROBUSTNESS_FILE).is_file():
        show_robustness(model.folder)
        return
    empty_state(
        "It was not measured under disturbances",
        "Blur, darkness, JPEG, small faces, turns and covers, at five strengths each: the command below measures it.",
    )
    place = "--keep" if model.kind == "run" else f"--to {shlex.quote(str(model.folder / ROBUSTNESS_FILE))}"
    st.code(
        f"python -m fer_core robustness --model {model.id} --data DATASET {place}",
        "sh",
        wrap_lines=True,
    )


def _scores(metrics: dict[str, Any]) -> None:
    show_scores(metrics)
    split = SPLIT_TITLES.get(metrics["split"], metrics["split"])
    labels = describe_protocol(str(metrics.get("protocol", "")))
    where = ", ".join(words for words in (f"the {split}", labels, "accurate point") if words)
    st.caption(escape_markdown(f"On the {count(metrics['n'])} labeled images of {where}."))
