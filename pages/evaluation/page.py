"""Evaluation: confusion matrix and metrics by class of a run or model."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.bundles.catalog import ModelEntry, list_models
from fer_core.runs.folder import Run, RunState, list_runs
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.model_choice import choose_evaluated_model, evaluated_models
from fer_ui.evaluation.report_view import (
    choose_report,
    load_reports,
    show_class_metrics,
    show_matrix,
    show_numbers,
)
from fer_ui.evaluation.test_split import describe_images
from fer_ui.frame.header import SYNTHETIC_NOTE, empty_state, notice, page_header
from fer_ui.frame.view_layout import chart_and_numbers
from fer_ui.image_labels import split_title
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_segmented_control

_HOW_TO_READ = (
    "**Macro-F1** and **balanced accuracy** (the mean recall) count every expression alike, however rare it is.",
    "**Accuracy** is the share of all images that are right; the common expressions decide it.",
    "**Calibration error (ECE)** is the mean gap between confidence and accuracy, in 15 bins.",
    "Intervals are 95 %. An expression with few images has a wide one: treat its metrics as a hint.",
    "**Labels** by *majority*: single votes are dropped, and the winner needs more than half of the rest.",
    "**Labels** by *most frequent vote*: the label with the most votes; ties are excluded.",
    "**Operating point**: *accurate* has the highest accuracy, *balanced* finds more of the rare expressions.",
)


def main() -> None:
    header = page_header("Evaluation", "Confusion matrix and metrics by class of a run or model, on held-out images.")
    models = evaluated_models(list_models(settings()))
    if models:
        model = choose_evaluated_model(models, header)
        if model is not None:
            with show_errors():
                _show(model, header)
    else:
        empty_state(
            "Nothing evaluated yet",
            "The model that ships with FERscope is missing. Train a model; its confusion matrix then appears here.",
            links=lambda: link_to(Page.TRAINING, "Train a model"),
        )
    _show_incomplete(list_runs(settings()))


def _show(model: ModelEntry, header: DeltaGenerator) -> None:
    splits = {reports.split: reports for reports in load_reports(Run(model.folder))}
    with header:
        titles = {name: split_title(name) for name in splits}
        split = param_segmented_control("Split", titles, QueryParam.SPLIT, in_header=True)
    report = choose_report(splits[split])
    key = f"{model.id}-{split}"
    view = chart_and_numbers("evaluation")
    with view.numbers:
        show_numbers(report, describe_images(model, splits[split], report))
        if model.info.synthetic:
            notice("info", SYNTHETIC_NOTE)
        with st.expander("How to read these numbers", icon=":material/info:"):
            st.markdown("\n".join(f"- {line}" for line in _HOW_TO_READ))
        link_to(Page.MODELS, "Calibration, robustness and model card", model=model.id)
    with view.chart:
        show_matrix(report, key)
    show_class_metrics(report, key)


def _show_incomplete(runs: Sequence[Run]) -> None:
    """List runs that lack files, folded, below the content."""
    broken = [run for run in runs if run.state is RunState.BROKEN]
    if not broken:
        return
    title = "1 incomplete run" if len(broken) == 1 else f"{len(broken)} incomplete runs"
    with st.expander(title, icon=":material/warning:"):
        for run in broken:
            st.markdown(escape_markdown(f"The run {run.id} is incomplete: it lacks {join_words(run.missing())}."))
        st.caption("Delete an incomplete run under Training, Runs.")
        link_to(Page.TRAINING, "Runs", view="runs")


main()
