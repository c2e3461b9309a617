"""A model's figures on a page: its scores, each expression's, what it mistakes for what, and how sure it may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.bundles.catalog import ModelEntry
from fer_core.bundles.quantization_report import QuantizationReport, read_quantization_report
from fer_core.bundles.reports import SPLIT_TITLES, Evaluation, SplitReports, read_evaluations, split_caveat
from fer_core.evaluation.predictions import PROTOCOLS, describe_protocol
from fer_core.evaluation.report import metrics_from_report
from fer_core.labels import Expression
from fer_core.markdown import describe_split
from fer_ui.chart_view import show_chart
from fer_ui.charts.calibration import calibration_table, reliability_diagram
from fer_ui.charts.confusion import confusion_heatmap
from fer_ui.charts.per_class import class_metrics_bars, metrics_table
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.metrics_view import show_metrics_table
from fer_ui.evaluation.report_view import show_warnings
from fer_ui.formatting import count, images, interval, percent
from fer_ui.header import Headline, headline, notice
from fer_ui.model_choices import choose_operating_point, choose_protocol, protocol_title

_SCORES = {"macro_f1": "Macro-F1", "balanced_accuracy": "Balanced accuracy", "accuracy": "Accuracy"}


def show_metrics(model: ModelEntry, judged: SplitReports) -> None:
    """The scores by a protocol at a point, a bar a figure of each expression, and figures on other data."""
    report = _chosen(judged)
    show_scores(report)
    show_warnings(report)
    said = split_caveat(judged.split, model.info).capitalize()
    split, labels = SPLIT_TITLES.get(judged.split, judged.split), describe_protocol(report["protocol"])
    st.caption(escape_markdown(f"On {images(report['n'])} of the {split}, {labels}. {said}."))
    table = metrics_table(metrics_from_report(report), _labels(report))
    show_chart(class_metrics_bars(table), f"classes-{model.id}")
    show_metrics_table(table, f"figures-{model.id}")
    for evaluation in read_evaluations(model.folder):
        _other_data(evaluation)
    if quantization := read_quantization_report(model.folder):
        st.subheader("INT8 quantization", anchor=False)
        st.markdown(escape_markdown(_describe_quantization(quantization, report)))


def show_scores(report: Mapping[str, Any]) -> None:
    """The three scores of a report as large numbers, with their intervals where it has them."""
    bounds = report.get("intervals") or {}
    headline(
        [
            Headline(title, percent(report[name]), f"95 %: {interval(*bounds[name])}" if name in bounds else "")
            for name, title in _SCORES.items()
        ]
    )


def show_confusion(model: ModelEntry, judged: SplitReports) -> None:
    """What is read as what, in images."""
    report = _chosen(judged)
    show_chart(confusion_heatmap(np.array(report["confusion"], np.int64), _labels(report)), f"confusion-{model.id}")


def show_calibration(model: ModelEntry, judged: SplitReports) -> None:
    """The calibration curve at both points, the error before and after the temperature, and the limit of certainty."""
    table = calibration_table(judged.main)
    if table.empty:
        notice(
            "info",
            "This model's report was written by an older FERscope and does not say how sure it was. Exporting the run "
            "writes it anew.",
        )
        _errors(judged)
        return
    show_chart(reliability_diagram(judged.main), f"calibration-{model.id}", table=table)
    _errors(judged)
    for report in judged.main:
        st.markdown(escape_markdown(_certainty_words(report)))


def _chosen(judged: SplitReports) -> dict[str, Any]:
    """The report by the protocol and at the point that the address says."""
    found = {(each["protocol"], each["point"]): each for each in judged.reports}
    left, right = st.columns(2)
    with left:
        protocol = choose_protocol({name for name, _ in found})
    with right:
        point = choose_operating_point({name for by, name in found if by == protocol})
    return found[protocol, point]


def _labels(report: dict[str, Any]) -> list[Expression]:
    return [Expression(name) for name in report["labels"]]


def _errors(judged: SplitReports) -> None:
    shown = [
        Headline(
            f"Calibration error, {each['point']}",
            f"{each['ece']:.3f}",
            f"before the temperature {each['ece_unscaled']:.3f}" if "ece_unscaled" in each else "",
        )
        for each in judged.main
    ]
    if len(shown) > 1:
        headline(shown)


def _certainty_words(report: dict[str, Any]) -> str:
    found = report["selective_accuracy"]
    below, above = found["below"], found["above"]
    threshold = percent(found["confidence_threshold"])
    limit = f"{report['point'].capitalize()} point: below {threshold} a face is shown as uncertain"
    if not below["n"]:
        return f"{limit}; none of these is."
    share = below["n"] / (below["n"] + above["n"])
    rest = f", the others {percent(above['accuracy'])} of the time" if above["n"] else ""
    return f"{limit}. That is {percent(share)} of these; they are right {percent(below['accuracy'])} of the time{rest}."


def _other_data(evaluation: Evaluation) -> None:
    st.subheader(escape_markdown(f"On {evaluation.dataset}"), anchor=False)
    if said := " ".join(words for words in (evaluation.source, evaluation.note) if words):
        st.markdown(escape_markdown(said))
    rows = [
        {
            "Labels by": protocol_title(each["protocol"]),
            "Point": each["point"].capitalize(),
            "Images": count(each["n"]),
            **{
                title: f"{percent(each[name])} ({interval(*each['intervals'][name])})"
                for name, title in _SCORES.items()
            },
        }
        for each in evaluation.reports
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key=f"other-{evaluation.dataset}")
    if evaluation.reports:
        show_warnings(evaluation.reports[0])


def _describe_quantization(found: QuantizationReport, report: Mapping[str, Any]) -> str:
    """Describe the drop in accuracy by INT8, by the report's protocol at its point where that was measured."""
    wanted = (report["protocol"], report["point"])
    result = next((each for each in found.comparisons if (each.protocol, each.point) == wanted), found.worst)
    low, high = (f"{-bound * 100:+.2f}" for bound in reversed(result.accuracy_drop_interval))
    return (
        f"Live uses an INT8 copy of this network where that is faster. On {images(result.n)} of "
        f"{describe_split(found.dataset, found.split)} its accuracy is {percent(result.int8.accuracy)} and its "
        f"macro-F1 {percent(result.int8.macro_f1)} ({PROTOCOLS[result.protocol]}, {result.point} point): "
        f"{-result.accuracy_drop_01 * 100:+.2f} points of accuracy compared to FP32 (95 %: {low} to {high})."
    )
