"""Training curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from fer_core.jobs.job import JobState
from fer_core.metrics import HEADLINE_METRICS
from fer_ui.chart_view import show_chart
from fer_ui.charts.training.class_curves import class_curves
from fer_ui.charts.training.epoch_lines import known_columns
from fer_ui.charts.training.loss_and_scores import learning_curves
from fer_ui.charts.training.rate_and_speed import (
    concordance_curves,
    has_concordance,
    learning_rate_curve,
    throughput_curve,
)
from fer_ui.escaping import escape_markdown
from fer_ui.frame.header import empty_state
from fer_ui.training.monitor.monitored_run import FileVersion, MonitoredRun, best_epoch_of

_INTERVALS_S = (2.0, 20.0)
_RESERVED_PX = 520
_COLUMN_PARTS = {
    "loss": "_loss",
    "f1": "_f1_",
    "affect": "_ccc_",
    "learning-rate": "learning_rate",
    "speed": "images_per_s",
}
"""What the names of a chart's columns contain."""


def refresh_interval_s(monitored: MonitoredRun) -> float:
    """Choose how often to refresh the curves: a few times per epoch."""
    shortest, longest = _INTERVALS_S
    return min(max(monitored.epoch_s / 4, shortest), longest)


class _Figures(NamedTuple):
    """All charts."""

    loss: go.Figure
    scores: go.Figure
    classes: go.Figure
    more: Mapping[str, go.Figure]


def show_curves(monitored: MonitoredRun) -> None:
    """Show loss and scores, one below the other."""
    if monitored.run is None or monitored.metrics.empty:
        _show_none(monitored)
        return
    figures = _build_figures(monitored.run_id, monitored.metrics_version, monitored.metrics)
    for name, figure in (("loss", figures.loss), ("scores", figures.scores)):
        show_chart(figure, f"{name}-{monitored.run_id}", table=_columns(monitored.metrics, name))


def show_class_curves(monitored: MonitoredRun) -> None:
    """Show the F1 of each class."""
    if monitored.metrics.empty:
        st.caption("The curves appear after the first epoch.")
        return
    figures = _build_figures(monitored.run_id, monitored.metrics_version, monitored.metrics)
    show_chart(figures.classes, f"f1-{monitored.run_id}", table=_columns(monitored.metrics, "f1"))


def show_more_curves(monitored: MonitoredRun) -> None:
    """Show the learning rate and, if there are any, concordance and throughput."""
    if monitored.metrics.empty:
        return
    figures = _build_figures(monitored.run_id, monitored.metrics_version, monitored.metrics)
    for name, figure in figures.more.items():
        show_chart(figure, f"{name}-{monitored.run_id}", table=_columns(monitored.metrics, name))


def _columns(metrics: pd.DataFrame, chart: str) -> pd.DataFrame:
    """The columns of the metrics that a chart shows, with the epoch."""
    part = _COLUMN_PARTS.get(chart)
    if part:
        return metrics[["epoch", *(name for name in map(str, metrics) if part in name)]]
    return metrics[["epoch", *(name for name in map(str, metrics) if name.endswith(tuple(HEADLINE_METRICS)))]]


@st.cache_resource(show_spinner=False, max_entries=8)
def _build_figures(run_id: str, metrics_version: FileVersion, _metrics: pd.DataFrame) -> _Figures:
    """Build the charts; shared between sessions, so not to be changed."""
    del run_id, metrics_version  # cache key
    best = best_epoch_of(_metrics)
    more: dict[str, go.Figure] = {}
    if known_columns(_metrics, "learning_rate"):
        more["learning-rate"] = learning_rate_curve(_metrics, best)
    if has_concordance(_metrics):
        more["affect"] = concordance_curves(_metrics, best)
    if known_columns(_metrics, "images_per_s"):
        more["speed"] = throughput_curve(_metrics)
    return _Figures(*learning_curves(_metrics, best), class_curves(_metrics, best), more)


def _show_none(monitored: MonitoredRun) -> None:
    """Show the current activity while no epoch has finished."""
    if not monitored.live:
        empty_state("No curves", "No epoch of this run has finished.")
        return
    if monitored.job is not None and monitored.job.state is JobState.QUEUED:
        now = "The run is queued."
    else:
        message = monitored.job.message if monitored.job else ""
        now = f"Now: {message}." if message else "The run is starting and loads its images."
    with st.container(border=True, gap="small"):
        st.subheader("No epoch has finished yet", anchor=False)
        st.markdown(escape_markdown(f"{now} Curves appear after the first epoch."))
    st.skeleton(_RESERVED_PX)  # the curves that come then move nothing below them
