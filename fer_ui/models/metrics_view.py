"""A model's metrics on a page: scores, metrics by class, confusion matrix and calibration."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.quantization_report import QuantizationReport, read_quantization_report
from fer_core.bundles.reports import SplitReports, read_evaluations
from fer_core.calibration import CALIBRATION_FILE, Calibration, OperatingPoint
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.data.dataset_title import dataset_title
from fer_core.evaluation.predictions import PROTOCOLS
from fer_core.evaluation.report_schema import Evaluation, SelectiveAccuracy, StoredReport
from fer_core.markdown import describe_split
from fer_core.metrics import HEADLINE_METRICS, METRIC_TITLES
from fer_core.settings import settings
from fer_core.text import format_signed
from fer_ui.chart_view import show_chart
from fer_ui.charts.calibration import calibration_table, describe_bias, reliability_diagram
from fer_ui.charts.per_class import class_metrics_bars, metrics_table
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.describe_data import describe_images
from fer_ui.evaluation.report_view import (
    choose_report,
    show_matrix,
    show_metrics_table,
    show_numbers,
    show_warnings,
)
from fer_ui.formatting import format_count, format_images, format_interval, format_percent
from fer_ui.frame.header import Headline, headline, notice
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.model_choices import NOT_CALIBRATED, protocol_title
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam


def show_metrics(model: ModelEntry, reports: SplitReports) -> None:
    """Show metrics by class with the scores beside them, and evaluations on other data."""
    report = choose_report(reports)
    table = metrics_table(report.metrics, report.labels)
    view = chart_and_numbers("metrics")
    with view.numbers:
        show_numbers(report, describe_images(model, reports, report))
    with view.chart:
        show_chart(class_metrics_bars(table), f"classes-{model.id}", table=table)
    show_metrics_table(table, model.id)
    for evaluation in read_evaluations(model.folder):
        _show_evaluation(evaluation)
    if int8 := read_quantization_report(model.folder):
        st.subheader("INT8", anchor=False)
        st.markdown(escape_markdown(_describe_int8(int8, report)))


def show_confusion(model: ModelEntry, reports: SplitReports) -> None:
    """Show the confusion matrix with the scores beside it."""
    report = choose_report(reports)
    view = chart_and_numbers("confusion")
    with view.numbers:
        show_numbers(report, describe_images(model, reports, report))
        query = {str(QueryParam.RUN if model.kind == "run" else QueryParam.MODEL): model.id}
        link_to(Page.EVALUATION, "Evaluation", **query)
    with view.chart:
        show_matrix(report, model.id, QueryParam.SCALE)


def show_calibration(model: ModelEntry, reports: SplitReports) -> None:
    """Show the reliability diagram with the calibration errors and confidence thresholds of both operating points."""
    by_point = reports.headline_by_point
    table = calibration_table(by_point)
    view = chart_and_numbers("calibration")
    with view.numbers:
        if not _calibration(model.folder).is_fitted:
            notice("warning", NOT_CALIBRATED)
        if not table.empty:
            verdict(describe_bias(reports.headline))
        if len(by_point) > 1:
            headline([_calibration_headline(report) for report in by_point])
        for report in by_point:
            if report.selective_accuracy:
                st.markdown(escape_markdown(_describe_threshold(report.point, report.selective_accuracy)))
        st.caption("ECE, the calibration error, is the mean gap between confidence and accuracy; 0 is perfect.")
    with view.chart:
        if table.empty:
            notice("info", "This report of an older version has no calibration data. Export the run to update it.")
        else:
            show_chart(reliability_diagram(by_point), f"calibration-{model.id}", table=table)


def _calibration(folder: Path) -> Calibration:
    return Calibration.load(folder / CALIBRATION_FILE, Contract.load(folder / CONTRACT_FILE).labels)


def _calibration_headline(report: StoredReport) -> Headline:
    unscaled = "" if report.ece_unscaled is None else f"before temperature scaling {report.ece_unscaled:.3f}"
    return Headline(f"ECE, {report.point}", f"{report.ece:.3f}", unscaled)


def _describe_threshold(point: OperatingPoint, selective: SelectiveAccuracy) -> str:
    below, above = selective.below.accuracy, selective.above.accuracy
    threshold = format_percent(selective.confidence_threshold)
    text = f"{point.capitalize()} point: a face below {threshold} is shown as uncertain"
    if below is None:
        return f"{text}; no face is."
    share = format_percent(selective.share_below_01)
    rest = "" if above is None else f", against {format_percent(above)} for the others"
    return f"{text}, which is {share} of the faces. Accuracy is {format_percent(below)} for these{rest}."


def _show_evaluation(evaluation: Evaluation) -> None:
    st.subheader(escape_markdown(f"On {dataset_title(evaluation.dataset, settings())}"), anchor=False)
    if text := " ".join(filter(None, (evaluation.source, evaluation.note))):
        st.markdown(escape_markdown(text))
    rows = [
        {
            "Labels": protocol_title(report.protocol),
            "Point": report.point.capitalize(),
            "Images": format_count(report.n),
            **{
                METRIC_TITLES[
                    name
                ]: f"{format_percent(report.scores[name])} ({format_interval(*report.intervals[name])})"
                for name in HEADLINE_METRICS
            },
        }
        for report in evaluation.reports
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key=f"other-{evaluation.dataset}")
    show_warnings(evaluation.reports[0])


def _describe_int8(quantization: QuantizationReport, report: StoredReport) -> str:
    """Compare the INT8 variant with FP32, for the report's protocol and operating point if measured."""
    key = (report.protocol, report.point)
    result = next(
        (known for known in quantization.comparisons if (known.protocol, known.point) == key), quantization.worst
    )
    change, high, low = (
        format_signed(-drop_01 * 100) for drop_01 in (result.accuracy_drop_01, *result.accuracy_drop_interval)
    )
    return (
        f"Live uses an INT8 variant of this network where that is faster. On {format_images(result.n)} of "
        f"{describe_split(dataset_title(quantization.dataset, settings()), quantization.split)} its accuracy is "
        f"{format_percent(result.int8.accuracy)} "
        f"and its macro-F1 {format_percent(result.int8.macro_f1)} ({PROTOCOLS[result.protocol]}, {result.point} "
        "point): "
        f"{change} percentage points of accuracy against FP32 (95 %: {low} to {high})."
    )
