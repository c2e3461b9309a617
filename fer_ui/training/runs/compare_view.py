"""Comparison of runs: ranking, curves, metrics and differences of their configs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.comparison.compare import Comparison, available_metrics, compare_runs, select_metric
from fer_core.comparison.run_summary import RunSummary
from fer_core.metrics import HEADLINE_METRICS, METRIC_TITLES
from fer_core.settings import settings
from fer_core.text import join_words
from fer_ui.chart_view import show_chart, show_csv_download
from fer_ui.charts.training.compared_curves import Axis, Splits, compared_curves, lettered_names
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import NO_VALUE, format_interval, format_percent
from fer_ui.frame.header import notice
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.navigation import Page, link_to
from fer_ui.query_params import QueryParam, param_segmented_control, param_selectbox
from fer_ui.training.runs.rows import describe_evaluation

_SPLITS: dict[Splits, str] = {"valid": "Validation", "train": "Training", "both": "Both"}
_AXES: dict[Axis, str] = {"epoch": "Epochs", "time": "Time"}
_DEFAULT_METRIC = "macro_f1"
_PINNED = st.column_config.TextColumn(pinned=True, width=160)


def show_comparison(rows: Sequence[RunSummary]) -> None:
    """Compare two to six runs.

    Raises:
        RunError: one is gone.
    """
    compared = compare_runs(rows, settings())
    view = chart_and_numbers("compare")
    with view.numbers:
        st.subheader(f"{len(rows)} runs compared", anchor=False)
        verdict(compared.ranking)
        for row in compared.runs:
            _show_run(row, lettered_names(compared.names)[row.id])
    with view.chart:
        _show_curves(compared)
    _show_metrics(compared)
    _show_differences(compared)


def _show_run(row: RunSummary, name: str) -> None:
    """Show a run's score and a link to it."""
    known = row.score(_DEFAULT_METRIC) is not None
    score = f"macro-F1 {_format_metric(row, _DEFAULT_METRIC)}" if known else "no metrics yet"
    with st.container(gap=None):
        link_to(Page.TRAINING, name, run=row.id)
        st.caption(escape_markdown(f"{score}, {describe_evaluation(row)}"))


def _show_curves(compared: Comparison) -> None:
    """Show the chart and, below it, what it shows."""
    metrics = available_metrics(compared.curves)
    if not metrics:
        notice("info", "No curves yet: they appear after the first epoch.")
        return
    metrics.sort(key=lambda name: name != _DEFAULT_METRIC)
    chart = st.container()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        titles = {name: METRIC_TITLES[name] for name in metrics}
        metric = param_selectbox("Metric", titles, QueryParam.METRIC, in_header=True)
        split = param_segmented_control("Images", _SPLITS, QueryParam.SPLIT, in_header=True)
        axis = param_segmented_control("x-axis", _AXES, QueryParam.AXIS, in_header=True)
    curves = select_metric(compared.curves, metric)
    figure = compared_curves(
        curves,
        compared.names,
        metric,
        splits=split,
        axis=axis,
        best={row.id: row.best_epoch for row in compared.runs},
        comparable=compared.comparable,
    )
    table = curves.assign(title=curves["run"].map(dict(compared.names)))
    with chart:
        show_chart(figure, f"compared-{metric.replace('_', '-')}", table=table)


def _show_metrics(compared: Comparison) -> None:
    st.subheader("Metrics of the best epochs", anchor=False)
    table = metrics_table(compared)
    st.dataframe(table, hide_index=True, column_config={"Run": _PINNED})
    st.caption("95 % intervals in brackets.")
    show_csv_download(table, "compared-metrics")


def metrics_table(compared: Comparison) -> pd.DataFrame:
    """Build a row per run: its metrics with intervals as text, and what it was evaluated on."""
    names = lettered_names(compared.names)
    return pd.DataFrame(
        [
            {
                "Run": names[row.id],
                **{METRIC_TITLES[name]: _format_metric(row, name) for name in HEADLINE_METRICS},
                "Evaluated on": describe_evaluation(row),
                "Epoch": NO_VALUE if row.best_epoch is None else f"{row.best_epoch} of {row.epochs_done}",
            }
            for row in compared.runs
        ]
    )


def _show_differences(compared: Comparison) -> None:
    st.subheader("Config differences", anchor=False)
    names = lettered_names(compared.names)
    table = compared.differences.rename(columns={"key": "Key", **names})
    if compared.unreadable:
        notice("warning", f"Unreadable config: {join_words([names[run_id] for run_id in compared.unreadable])}.")
    if table.shape[1] < 3:
        return
    if table.empty:
        st.markdown("Only their titles differ.")
        return
    st.dataframe(table, hide_index=True, column_config={"Key": _PINNED}, placeholder=NO_VALUE)
    show_csv_download(table, "compared-configs")


def _format_metric(row: RunSummary, name: str) -> str:
    """ "62.3 % (60.1 to 64.4 %)"."""
    value = row.score(name)
    if value is None:
        return NO_VALUE
    bounds = row.interval(name)
    return f"{format_percent(value)}{f' ({format_interval(*bounds)})' if bounds else ''}"
