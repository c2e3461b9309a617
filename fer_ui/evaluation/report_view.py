"""An evaluation report on a page: confusion matrix, scores, metrics by class and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
from pydantic import ValidationError
from streamlit.elements.lib.column_types import ColumnConfig

from fer_core.bundles.reports import SplitReports, reports_by_split
from fer_core.calibration import OperatingPoint
from fer_core.errors import RunError
from fer_core.evaluation.report_schema import STORED_REPORTS, StoredReport
from fer_core.files.json_file import format_validation_error
from fer_core.labels import Expression
from fer_core.metrics import HEADLINE_METRICS, METRIC_TITLES, MetricName
from fer_core.runs.folder import Run
from fer_ui.chart_view import show_chart
from fer_ui.charts.confusion import Shown
from fer_ui.charts.per_class import class_metrics_bars, metrics_table
from fer_ui.drawing.confusion_matrix import show_confusion_matrix
from fer_ui.drawing.metric_heat_map import show_metric_heat_map
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.verdict import describe_hidden_errors
from fer_ui.formatting import NO_VALUE, format_interval, format_percent
from fer_ui.frame.header import Headline, headline, notice
from fer_ui.frame.view_layout import verdict
from fer_ui.model_choices import choose_operating_point, choose_protocol
from fer_ui.query_params import QueryParam, param_segmented_control
from fer_ui.theme import expression_title

CELLS: dict[Shown, str] = {"counts": "Counts", "ratios": "By row", "columns": "By column"}


def load_reports(run: Run) -> list[SplitReports]:
    """Load the reports of a run, the test split first.

    Raises:
        RunError: the report is missing, invalid or empty.
    """
    try:
        stored = STORED_REPORTS.validate_python(run.report())
    except ValidationError as exc:
        remedy = "Restore the file or delete the run."
        raise RunError(format_validation_error(exc, run.path("report.json"), "report", remedy)) from exc
    reports = reports_by_split({str(split): reports for split, reports in stored.items()})
    if not reports:
        raise RunError(f"The run {run.id} has no metrics: none of its held-out images had a label.")
    return reports


def choose_report(reports: SplitReports) -> StoredReport:
    """Show the choice of protocol and operating point as one row, and return their report.

    A choice that would change nothing is not offered.
    """
    by_choice = {(report.protocol, report.point): report for report in reports.reports}
    protocols = {name for name, _ in by_choice}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        protocol = choose_protocol(protocols, in_row=True) if protocols - {reports.headline.protocol} else None
        protocol = protocol or reports.headline.protocol
        points = [point for by, point in by_choice if by == protocol]
        same = have_same_predictions([by_choice[protocol, point] for point in points])
        point = choose_operating_point(points, in_row=True, same=same) if points[1:] else OperatingPoint(points[0])
    return by_choice[protocol, point]


def have_same_predictions(reports: Sequence[StoredReport]) -> bool:
    """Whether reports on the same images have equal confusion matrices, so that choosing among them is no choice."""
    return all(report.confusion == reports[0].confusion for report in reports)


def score_headlines(
    scores: Mapping[str, float], bounds: Mapping[MetricName, Sequence[float]], macro_detail: str = ""
) -> list[Headline]:
    """Build the headline metrics with their 95 % intervals, as far as known.

    Args:
        macro_detail: precedes the interval of the macro-F1.
    """
    headlines = []
    for name in HEADLINE_METRICS:
        details = [
            macro_detail if name == "macro_f1" else "",
            f"95 %: {format_interval(*bounds[name])}" if name in bounds else "",
        ]
        headlines.append(Headline(METRIC_TITLES[name], format_percent(scores[name]), ", ".join(filter(None, details))))
    return headlines


@st.fragment
def show_matrix(report: StoredReport, key: str, param: QueryParam = QueryParam.VIEW) -> None:
    """Show the confusion matrix and the choice of what its cells show, which reruns nothing else.

    Args:
        param: the query parameter of the choice.
    """
    chart = st.container()
    shown = param_segmented_control("Cells", CELLS, param, in_header=True)
    with chart:
        show_confusion_matrix(report.metrics.confusion, report.labels, f"confusion-{key}", shown=shown)


def show_numbers(report: StoredReport, where: str) -> None:
    """Show the verdict, the scores and what they are of, for the column beside a chart.

    Args:
        where: which images these are, as plain text.
    """
    verdict(describe_hidden_errors(report.metrics, report.labels))
    headline(
        [
            *score_headlines(report.scores, report.intervals),
            Headline("Calibration error (ECE)", f"{report.ece:.3f}", "0 is perfect"),
        ]
    )
    st.caption(escape_markdown(where))
    show_warnings(report)


def show_warnings(report: StoredReport) -> None:
    """Show the report's warnings; reports of older versions have none."""
    if report.warnings:
        notice("warning", " ".join(report.warnings))


def show_class_metrics(report: StoredReport, key: str) -> None:
    """Show precision, recall and F1 of each class as bars and as a heat map, with their table below."""
    table = metrics_table(report.metrics, report.labels)
    bars, heat_map = st.columns((3, 2), gap="large")
    with bars:
        show_chart(class_metrics_bars(table), f"classes-{key}", table=table)
    with heat_map:
        show_metric_heat_map(table, f"heat-map-{key}")
    show_metrics_table(table, key)


def show_metrics_table(table: pd.DataFrame, key: str) -> None:
    """Show the result of `metrics_table` with the recall's interval as text."""
    st.dataframe(
        format_metrics(table),
        key=f"metrics-{key}",
        hide_index=True,
        placeholder=NO_VALUE,
        column_config={
            "Images": st.column_config.NumberColumn(format="localized", width="small"),
            "Precision": _percent_column("Of the images predicted as this expression, the share labeled so."),
            "Recall": _percent_column("Of the images labeled so, the share predicted as this expression."),
            "95 % interval": st.column_config.TextColumn(help="Of the recall."),
            "F1": _percent_column("The harmonic mean of precision and recall."),
        },
    )


def format_metrics(table: pd.DataFrame) -> pd.DataFrame:
    """Build the table with column titles, shares in percent and the recall's interval as text."""
    return pd.DataFrame(
        {
            "Expression": [expression_title(Expression(value)) for value in table["expression"]],
            "Images": table["support"],
            "Precision": table["precision"] * 100,
            "Recall": table["recall"] * 100,
            "95 % interval": [
                NO_VALUE if pd.isna(low) else format_interval(low, high)
                for low, high in zip(table["recall_low"], table["recall_high"], strict=True)
            ],
            "F1": table["f1"] * 100,
        }
    )


def _percent_column(help_text: str) -> ColumnConfig:
    return st.column_config.NumberColumn(format="%.1f %%", width="small", help=help_text)
