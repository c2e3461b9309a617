"""Evaluation: confusion matrix and metrics by class of a finished run."""

from __future__ import annotations

import streamlit as st

from fer_core.bundles.reports import split_caveat
from fer_core.evaluation.predictions import describe_protocol
from fer_core.metrics import Metrics
from fer_core.runs.folder import Run, RunState, list_runs
from fer_core.settings import settings
from fer_core.text import capitalize_first, join_words
from fer_ui.chart_view import show_chart
from fer_ui.charts.confusion import confusion_heatmap
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.report_view import (
    choose_report,
    load_reports,
    run_title,
    score_headlines,
    show_class_metrics,
    show_warnings,
)
from fer_ui.formatting import format_count
from fer_ui.frame.header import SYNTHETIC_NOTE, Headline, empty_state, headline, notice, page_header
from fer_ui.image_labels import split_title
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_segmented_control
from fer_ui.record_choice import choose_record

_CELLS = {"counts": "Counts", "ratios": "Shares of each row"}


def main() -> None:
    page_header(
        "Evaluation", "Confusion matrix and metrics by class of a finished run, on images that it was not trained on."
    )
    runs = list_runs(settings())
    finished = {run.id: run for run in runs if run.state is RunState.FINISHED}
    for run in runs:
        if run.state is RunState.BROKEN:
            missing = join_words(run.missing())
            notice("warning", f"The run {run.id} is incomplete: it lacks {missing}. Delete it under Training, Runs.")
    if not finished:
        text = f"{format_count(len(runs))} unfinished. " if runs else ""
        empty_state(
            "No finished run yet",
            f"{text}Train a model first; its confusion matrix then appears here.",
            links=lambda: link_to(Page.TRAINING, "Train a model"),
        )
        return
    titles = {run_id: run_title(run) for run_id, run in finished.items()}
    run_id = choose_record("Run", titles, QueryParam.RUN, "finished run")
    if run_id is not None:
        with show_errors():
            _show(finished[run_id])


def _show(run: Run) -> None:
    splits = {reports.split: reports for reports in load_reports(run)}
    if run.summary().get("synthetic"):
        notice("info", SYNTHETIC_NOTE)
    titles = {name: split_title(name) for name in splits}
    split = param_segmented_control("Split", titles, QueryParam.SPLIT)
    report = choose_report(splits[split])
    metrics = report.metrics
    headline(
        [
            *score_headlines(report.scores, report.intervals, f"over {describe_class_count(metrics)}"),
            Headline("Images", format_count(metrics.n), f"calibration error {report.ece:.3f}"),
        ]
    )
    show_warnings(report)
    labels = capitalize_first(describe_protocol(report.protocol))
    st.caption(escape_markdown(f"These images were {split_caveat(split)}. {labels}."))
    cells = param_segmented_control("Cells", _CELLS, QueryParam.VIEW)
    figure = confusion_heatmap(metrics.confusion, report.labels, ratios=cells == "ratios")
    show_chart(figure, f"confusion-{run.id}")
    show_class_metrics(report, run.id)
    st.caption("Intervals are 95 %. A class with few images has a wide interval: treat its metrics as a hint.")


def describe_class_count(metrics: Metrics) -> str:
    """Describe how many classes have images, over which the macro averages go."""
    classes = sum(scores.support > 0 for scores in metrics.per_class)
    return "1 class" if classes == 1 else f"{classes} classes"


main()
