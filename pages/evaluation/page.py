"""Evaluation: what a finished run mistakes for what, on images that it was not trained on."""

from __future__ import annotations

import streamlit as st

from fer_core.evaluation.predictions import describe_protocol
from fer_core.evaluation.report import metrics_from_report
from fer_core.labels import Expression
from fer_core.metrics import Metrics
from fer_core.runs.folder import Run, RunState, list_runs
from fer_core.settings import settings
from fer_core.text import capitalize_first, join_words
from fer_ui.chart_view import show_chart
from fer_ui.charts.confusion import confusion_heatmap
from fer_ui.charts.per_class import class_metrics_bars, metrics_table
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.metrics_view import show_metrics_table
from fer_ui.evaluation.report_view import reports_of, run_title, show_warnings
from fer_ui.formatting import count, interval, percent
from fer_ui.header import Headline, empty_state, headline, notice, page_header
from fer_ui.model_choices import choose_operating_point, choose_protocol
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_segmented_control, param_selectbox

_PARTS = {"test": "Test", "valid": "Validation"}
_MEANINGS = {
    "test": "Neither training nor the choice of the epoch touched these images.",
    "valid": "The epoch and the operating points were chosen on these images: their figures flatter a little.",
}
_CELLS = {"counts": "Counts", "ratios": "Shares of each row"}


def main() -> None:
    page_header(
        "Evaluation", "What a model reads as what. Macro-F1 and balanced accuracy count every expression alike."
    )
    runs = list_runs(settings())
    finished = {run.id: run for run in runs if run.state is RunState.FINISHED}
    for run in runs:
        if run.state is RunState.BROKEN:
            lost = join_words(run.missing())
            notice("warning", f"The run {run.id} is not whole: it lacks {lost}. Delete it on the page of its training.")
    if not finished:
        text = f"Runs not finished yet: {count(len(runs))}. " if runs else ""
        empty_state(
            "There is no finished run to read",
            f"{text}Train a model first; its confusion matrix appears here by itself.",
            links=lambda: link_to(Page.TRAINING, "Train a model"),
        )
        return
    run = finished[
        param_selectbox("Run", list(finished), QueryParam.RUN, format_func=lambda name: run_title(finished[name]))
    ]
    with show_errors():
        _show(run)


def _show(run: Run) -> None:
    found = reports_of(run)
    if run.summary().get("synthetic"):
        notice("info", "Trained and judged on drawings. These figures say nothing about people.")
    columns = st.columns(3)
    with columns[0]:
        split = param_segmented_control(
            "Part", [name for name in _PARTS if name in found], QueryParam.SPLIT, format_func=_PARTS.__getitem__
        )
    with columns[1]:
        point = choose_operating_point()
    with columns[2]:
        protocol = choose_protocol({name for name, at in found[split] if at == point})
    report = found[split][protocol, point]
    metrics, labels = metrics_from_report(report), [Expression(name) for name in report["labels"]]
    _headline(metrics, report["ece"])
    show_warnings(report)
    st.caption(escape_markdown(f"{_MEANINGS[split]} {capitalize_first(describe_protocol(protocol))}."))
    cells = param_segmented_control("Cells", _CELLS, QueryParam.VIEW)
    figure = confusion_heatmap(metrics.confusion, labels, ratios=cells == "ratios")
    show_chart(figure, f"confusion-{run.id}")
    table = metrics_table(metrics, labels)
    show_chart(class_metrics_bars(table), f"classes-{run.id}")
    show_metrics_table(table, f"figures-{run.id}")
    st.caption("Intervals are 95 %. A class with few images has a wide one: its figures are hints, not results.")


def judged_classes(metrics: Metrics) -> str:
    """How many classes the macro figures are over."""
    judged = sum(each.support > 0 for each in metrics.per_class)
    return "1 class" if judged == 1 else f"{judged} classes"


def _headline(metrics: Metrics, calibration_error: float) -> None:
    bounds = metrics.intervals
    headline(
        [
            Headline(
                "Macro-F1",
                percent(metrics.macro_f1),
                f"over {judged_classes(metrics)}, 95 %: {interval(*bounds['macro_f1'])}",
            ),
            Headline(
                "Balanced accuracy",
                percent(metrics.balanced_accuracy),
                f"95 %: {interval(*bounds['balanced_accuracy'])}",
            ),
            Headline("Accuracy", percent(metrics.accuracy), f"95 %: {interval(*bounds['accuracy'])}"),
            Headline("Images", count(metrics.n), f"calibration error {calibration_error:.3f}"),
        ]
    )


main()
