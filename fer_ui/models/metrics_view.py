"""A model's metrics on a page: scores, metrics by class, confusion matrix and calibration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.quantization_report import QuantizationReport, read_quantization_report
from fer_core.bundles.reports import SplitReports, read_evaluations, split_caveat
from fer_core.calibration import OperatingPoint
from fer_core.evaluation.predictions import PROTOCOLS, describe_protocol
from fer_core.evaluation.report_schema import Evaluation, SelectiveAccuracy, StoredReport
from fer_core.markdown import describe_split
from fer_core.metrics import HEADLINE_METRICS, METRIC_TITLES
from fer_ui.chart_view import show_chart
from fer_ui.charts.calibration import calibration_table, reliability_diagram
from fer_ui.charts.confusion import confusion_heatmap
from fer_ui.charts.per_class import class_metrics_bars, metrics_table
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.report_view import score_headlines, show_metrics_table, show_warnings
from fer_ui.formatting import format_count, format_images, format_interval, format_percent
from fer_ui.header import Headline, headline, notice
from fer_ui.model_choices import choose_operating_point, choose_protocol, protocol_title


def show_metrics(model: ModelEntry, split_reports: SplitReports) -> None:
    """Show the scores for a protocol and operating point, metrics by class, and evaluations on other data."""
    report = _choose_report(split_reports)
    headline(score_headlines(report.scores, report.intervals))
    show_warnings(report)
    caveat = split_caveat(split_reports.split, model.info).capitalize()
    labels = describe_protocol(report.protocol)
    st.caption(escape_markdown(f"On {format_images(report.n)} of the {split_reports.title}, {labels}. {caveat}."))
    table = metrics_table(report.metrics, report.labels)
    show_chart(class_metrics_bars(table), f"classes-{model.id}")
    show_metrics_table(table, f"figures-{model.id}")
    for evaluation in read_evaluations(model.folder):
        _show_evaluation(evaluation)
    if int8 := read_quantization_report(model.folder):
        st.subheader("INT8", anchor=False)
        st.markdown(escape_markdown(_describe_int8(int8, report)))


def show_confusion(model: ModelEntry, split_reports: SplitReports) -> None:
    """Show the confusion matrix in images."""
    report = _choose_report(split_reports)
    show_chart(confusion_heatmap(np.array(report.confusion, np.int64), report.labels), f"confusion-{model.id}")


def show_calibration(model: ModelEntry, split_reports: SplitReports) -> None:
    """Show the reliability diagram, the calibration errors and the confidence thresholds of both operating points."""
    table = calibration_table(split_reports.headline_by_point)
    if table.empty:
        notice(
            "info",
            "This report is from an older version without calibration data. Export the run to update it.",
        )
        _show_calibration_errors(split_reports)
        return
    show_chart(reliability_diagram(split_reports.headline_by_point), f"calibration-{model.id}", table=table)
    _show_calibration_errors(split_reports)
    for report in split_reports.headline_by_point:
        if report.selective_accuracy:
            st.markdown(escape_markdown(_describe_threshold(report.point, report.selective_accuracy)))


def _choose_report(split_reports: SplitReports) -> StoredReport:
    """Choose a report by protocol and operating point."""
    reports = {(each.protocol, each.point): each for each in split_reports.reports}
    left, right = st.columns(2)
    with left:
        protocol = choose_protocol({name for name, _ in reports})
    with right:
        point = choose_operating_point({name for by, name in reports if by == protocol})
    return reports[protocol, point]


def _show_calibration_errors(split_reports: SplitReports) -> None:
    headlines = [
        Headline(
            f"Calibration error, {each.point}",
            f"{each.ece:.3f}",
            "" if each.ece_unscaled is None else f"before temperature scaling {each.ece_unscaled:.3f}",
        )
        for each in split_reports.headline_by_point
    ]
    if len(headlines) > 1:
        headline(headlines)


def _describe_threshold(point: OperatingPoint, selective: SelectiveAccuracy) -> str:
    below, above = selective.below.accuracy, selective.above.accuracy
    threshold = format_percent(selective.confidence_threshold)
    text = f"{point.capitalize()} point: a face is shown as uncertain below {threshold}"
    if below is None:
        return f"{text}; no face is."
    share = format_percent(selective.share_below_01)
    rest = "" if above is None else f", against {format_percent(above)} for the others"
    return f"{text}, which is {share} of the faces. Accuracy is {format_percent(below)} for these{rest}."


def _show_evaluation(evaluation: Evaluation) -> None:
    st.subheader(escape_markdown(f"On {evaluation.dataset}"), anchor=False)
    if text := " ".join(filter(None, (evaluation.source, evaluation.note))):
        st.markdown(escape_markdown(text))
    rows = [
        {
            "Labels by": protocol_title(each.protocol),
            "Point": each.point.capitalize(),
            "Images": format_count(each.n),
            **{
                METRIC_TITLES[name]: f"{format_percent(each.scores[name])} ({format_interval(*each.intervals[name])})"
                for name in HEADLINE_METRICS
            },
        }
        for each in evaluation.reports
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key=f"other-{evaluation.dataset}")
    show_warnings(evaluation.reports[0])


def _describe_int8(quantization: QuantizationReport, report: StoredReport) -> str:
    """Compare the INT8 variant with FP32, for the report's protocol and operating point if measured."""
    key = (report.protocol, report.point)
    result = next((each for each in quantization.comparisons if (each.protocol, each.point) == key), quantization.worst)
    low, high = (f"{-bound * 100:+.2f}" for bound in reversed(result.accuracy_drop_interval))
    return (
        f"Live uses an INT8 variant of this network where that is faster. On {format_images(result.n)} of "
        f"{describe_split(quantization.dataset, quantization.split)} its accuracy is "
        f"{format_percent(result.int8.accuracy)} "
        f"and its macro-F1 {format_percent(result.int8.macro_f1)} ({PROTOCOLS[result.protocol]}, {result.point} "
        "point): "
        f"{-result.accuracy_drop_01 * 100:+.2f} percentage points of accuracy against FP32 (95 %: {low} to {high})."
    )
