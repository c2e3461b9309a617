"""Evaluation: confusion matrix and metrics by class of a finished run."""

from __future__ import annotations

import streamlit as st

from fer_core.evaluation.predictions import describe_protocol
from fer_core.metrics import Metrics
from fer_core.runs.folder import Run, RunState, list_runs
from fer_core.settings import settings
from fer_core.text import capitalize_first, join_words
from fer_ui.chart_view import show_chart
from fer_ui.charts.confusion import confusion_heatmap
from fer_ui.charts.per_class import class_metrics_bars, metrics_table
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.report_view import (
    reports_by_split,
    run_title,
    score_headlines,
    show_metrics_table,
    show_warnings,
)
from fer_ui.formatting import format_count
from fer_ui.header import SYNTHETIC_NOTE, Headline, empty_state, headline, notice, page_header
from fer_ui.model_choices import choose_operating_point, choose_protocol
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_segmented_control, param_selectbox

_SPLITS = {"test": "Test", "valid": "Validation"}
_SPLIT_NOTES = {
    "test": "These images were used neither for training nor to choose the epoch.",
    "valid": "The epoch and the operating points were chosen on these images, so their metrics are optimistic.",
}
_CELLS = {"counts": "Counts", "ratios": "Shares of each row"}


def main() -> None:
    page_header(
        "Evaluation",
        "Confusion matrix and metrics by class of a finished run, on images that it was not trained on.",
    )
    runs = list_runs(settings())
    finished = {run.id: run for run in runs if run.state is RunState.FINISHED}
    for run in runs:
        if run.state is RunState.BROKEN:
            missing = join_words(run.missing())
            notice("warning", f"The run {run.id} is incomplete: {missing} is missing. Delete it under Training, Runs.")
    if not finished:
        text = f"{format_count(len(runs))} unfinished. " if runs else ""
        empty_state(
            "No finished run yet",
            f"{text}Train a model first; its confusion matrix then appears here.",
            links=lambda: link_to(Page.TRAINING, "Train a model"),
        )
        return
    titles = {run_id: run_title(run) for run_id, run in finished.items()}
    run = finished[param_selectbox("Run", titles, QueryParam.RUN)]
    with show_errors():
        _show(run)


def _show(run: Run) -> None:
    reports = reports_by_split(run)
    if run.summary().get("synthetic"):
        notice("info", SYNTHETIC_NOTE)
    columns = st.columns(3)
    with columns[0]:
        splits = {name: title for name, title in _SPLITS.items() if name in reports}
        split = param_segmented_control("Split", splits, QueryParam.SPLIT)
    with columns[1]:
        point = choose_operating_point()
    with columns[2]:
        protocol = choose_protocol({name for name, at in reports[split] if at == point})
    report = reports[split][protocol, point]
    metrics = report.metrics
    headline(
        [
            *score_headlines(report.scores, report.intervals, f"over {describe_class_count(metrics)}"),
            Headline("Images", format_count(metrics.n), f"calibration error {report.ece:.3f}"),
        ]
    )
    show_warnings(report)
    st.caption(escape_markdown(f"{_SPLIT_NOTES[split]} {capitalize_first(describe_protocol(protocol))}."))
    cells = param_segmented_control("Cells", _CELLS, QueryParam.VIEW)
    figure = confusion_heatmap(metrics.confusion, report.labels, ratios=cells == "ratios")
    show_chart(figure, f"confusion-{run.id}")
    table = metrics_table(metrics, report.labels)
    show_chart(class_metrics_bars(table), f"classes-{run.id}")
    show_metrics_table(table, f"figures-{run.id}")
    st.caption("Intervals are 95 %. A class with few images has a wide interval: treat its metrics as a hint.")


def describe_class_count(metrics: Metrics) -> str:
    """How many classes have images, over which the macro averages go."""
    classes = sum(each.support > 0 for each in metrics.per_class)
    return "1 class" if classes == 1 else f"{classes} classes"


main()
