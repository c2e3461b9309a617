"""A run's evaluation report on a page: scores, metrics by class and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
from pydantic import ValidationError
from streamlit.elements.lib.column_types import ColumnConfig

from fer_core.bundles.reports import SplitReports, reports_by_split
from fer_core.errors import RunError
from fer_core.evaluation.report_schema import STORED_REPORTS, StoredReport
from fer_core.files.json_file import format_validation_error
from fer_core.labels import Expression
from fer_core.metrics import HEADLINE_METRICS, METRIC_TITLES, MetricName
from fer_core.runs.folder import Run
from fer_ui.chart_view import show_chart
from fer_ui.charts.per_class import class_metrics_bars, metrics_table
from fer_ui.formatting import NO_VALUE, format_interval, format_percent
from fer_ui.frame.header import Headline, notice
from fer_ui.model_choices import choose_operating_point, choose_protocol
from fer_ui.theme import expression_title


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
    """Show the choice of protocol and operating point, and return their report."""
    by_choice = {(report.protocol, report.point): report for report in reports.reports}
    left, right = st.columns(2)
    with left:
        protocol = choose_protocol({name for name, _ in by_choice})
    with right:
        point = choose_operating_point({name for by, name in by_choice if by == protocol})
    return by_choice[protocol, point]


def run_title(run: Run) -> str:
    """Format the run's title and when it ended, which tells runs of the same title apart."""
    try:
        summary = run.summary()
        return f"{summary['title']}, {str(summary['created'])[:16].replace('T', ' ')}"
    except (RunError, KeyError):
        return run.id


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


def show_warnings(report: StoredReport) -> None:
    """Show the report's warnings; reports of older versions have none."""
    if report.warnings:
        notice("warning", " ".join(report.warnings))


def show_class_metrics(report: StoredReport, key: str) -> None:
    """Show precision, recall and F1 of each class as bars and as a table."""
    table = metrics_table(report.metrics, report.labels)
    show_chart(class_metrics_bars(table), f"classes-{key}")
    st.dataframe(
        format_metrics(table),
        key=f"metrics-{key}",
        hide_index=True,
        placeholder=NO_VALUE,
        column_config={
            "Images": st.column_config.NumberColumn(format="localized", width="small"),
            "Precision": _percent_column("Of the images predicted as this expression, the share labeled so."),
            "Recall": _percent_column("Of the images labeled so, the share predicted as this expression."),
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
