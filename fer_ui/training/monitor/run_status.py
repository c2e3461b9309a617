"""The status of a run: a sentence and headline numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.errors import RunError
from fer_core.jobs.job import JobState
from fer_core.runs.folder import RunState
from fer_core.text import format_duration, join_words, lowercase_first
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.report_view import reports_by_split, score_headlines
from fer_ui.formatting import format_count, format_percent
from fer_ui.header import SYNTHETIC_NOTE, Headline, headline, notice
from fer_ui.image_labels import describe_split
from fer_ui.jobs.job_view import format_age, show_job
from fer_ui.training.form.fields import MONITOR_TITLES
from fer_ui.training.monitor.monitored_run import MonitoredRun, MonitorState, config_of

_SCORES = {"macro_f1": "Macro-F1", "balanced_accuracy": "Balanced accuracy"}
_SPLIT_CAVEATS = {
    "test": "test images, used neither for training nor to choose the epoch",
    "valid": "validation images, on which the epoch was chosen, so they are optimistic",
}
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run's status.

    Attributes:
        headlines: empty before the first epoch.
        problem: what is missing; "" if the run is complete.
    """

    text: str
    headlines: tuple[Headline, ...]
    problem: str = ""


def show_run_status(monitored: MonitoredRun, was: MonitorState) -> None:
    """Show the status with the job's progress and actions; rerun the page when its layout changes."""
    if monitored.state != was:
        st.rerun()
    active = monitored.job is not None and monitored.job.state.active
    if monitored.job is not None and not active:  # the result comes before the metrics
        show_job(monitored.job)
    status = run_status(monitored)
    if status.problem:
        notice("warning", status.problem)
    if status.text:
        st.markdown(escape_markdown(status.text))
    if status.headlines:
        headline(status.headlines)
    if monitored.job is not None and active:
        show_job(monitored.job)
    if monitored.summary is not None and monitored.summary.synthetic:
        notice("info", SYNTHETIC_NOTE)


def run_status(monitored: MonitoredRun) -> RunStatus:
    """Describe a run in any state."""
    if monitored.run is None:
        return RunStatus("", (), f"The store has no run {monitored.run_id}: it was deleted or never created.")
    if monitored.run.state is RunState.FINISHED and not _is_active(monitored):
        return _finished(monitored)
    if monitored.run.state is RunState.BROKEN:
        missing = join_words(monitored.run.missing()) or "config.yaml"
        problem = f"The run {monitored.run_id} is incomplete: {missing} is missing. Restore it or delete the run."
        return RunStatus("", _epoch_headlines(monitored), problem)
    return RunStatus(_describe_progress(monitored), _epoch_headlines(monitored))


def describe_metric(name: str) -> str:
    """Name of a monitored metric within a sentence: "balanced accuracy", "F1 of fear"."""
    return "validation loss" if name == "loss" else lowercase_first(MONITOR_TITLES[name])


def _is_active(monitored: MonitoredRun) -> bool:
    return monitored.job is not None and monitored.job.state.active


def _describe_progress(monitored: MonitoredRun) -> str:
    done, planned = monitored.epochs_done, _planned_epochs(monitored)
    if monitored.job is None:
        origin = "It was started on the command line, or its job was deleted"
        changed = f"; last change {format_age(monitored.changed_at)}" if monitored.changed_at else ""
        progress = f"Epoch {done} of {planned} finished, {_best(monitored)}." if done else "No epoch has finished yet."
        return f"{progress} {origin}{changed}."
    if monitored.job.state.ended:
        if not done:
            return f"It ended before the first of {planned} epochs."
        return f"It ended after epoch {done} of {planned}, {_best(monitored)}."
    if not done:
        return ""  # the progress bar says what it does
    text = f"Epoch {done} of {planned} finished, {_best(monitored)}."
    return f"It is queued to resume. {text}" if monitored.job.state is JobState.QUEUED else text


def _best(monitored: MonitoredRun) -> str:
    """The best epoch so far and its metric."""
    best, done = monitored.best_epoch, monitored.epochs_done
    config = config_of(monitored.run) if monitored.run else None
    by = f" by {describe_metric(config.monitor)}" if config else ""
    if best == done:
        return f"the best so far{by}"
    since = done - (best or 0)
    return f"the best{by} was epoch {best}, {since} {'epoch' if since == 1 else 'epochs'} ago"


def _epoch_headlines(monitored: MonitoredRun) -> tuple[Headline, ...]:
    """Headline numbers of the best epoch so far."""
    if monitored.metrics.empty:
        return ()
    rows = monitored.metrics[monitored.metrics["epoch"] == monitored.best_epoch]
    best = (rows if len(rows) else monitored.metrics).iloc[-1]
    of = f"validation, epoch {int(best['epoch'])}"
    scores = [Headline(name, _share(best.get(f"valid_{score}")), of) for score, name in _SCORES.items()]
    return (*scores, _epochs(monitored, _remaining(monitored)), _speed(monitored.metrics))


def _remaining(monitored: MonitoredRun) -> str:
    remaining_s = monitored.job.left_at(datetime.now(UTC)) if monitored.job else None
    return f"about {format_duration(remaining_s)} left" if remaining_s is not None else ""


def _finished(monitored: MonitoredRun) -> RunStatus:
    """Scores of the report and its images; without a report, those of the best epoch."""
    assert monitored.run is not None
    best_epoch = monitored.summary.best_epoch if monitored.summary else monitored.best_epoch
    ended = "" if monitored.job else "Finished. "  # the job says so
    try:
        splits = reports_by_split(monitored.run)
    except RunError as error:
        return RunStatus(f"{ended}Epoch {best_epoch} was kept.", _epoch_headlines(monitored), str(error))
    split = "test" if "test" in splits else next(iter(splits))
    report = next(iter(splits[split].values()))
    evaluated = _SPLIT_CAVEATS.get(split, f"{describe_split(split)} images")
    text = f"{ended}Metrics on {format_count(report.n)} {evaluated}."
    scores = score_headlines(report.scores, report.intervals)[:2]
    last = (_speed(monitored.metrics),) if not monitored.metrics.empty else ()
    return RunStatus(text, (*scores, _epochs(monitored, f"best: epoch {best_epoch}"), *last))


def _epochs(monitored: MonitoredRun, detail: str) -> Headline:
    return Headline("Epochs", f"{format_count(monitored.epochs_done)} of {_planned_epochs(monitored)}", detail)


def _speed(metrics: pd.DataFrame) -> Headline:
    speed = metrics.iloc[-1].get("images_per_s")
    value = _UNKNOWN if speed is None or pd.isna(speed) else f"{format_count(round(speed))}/s"
    return Headline("Speed", value, "training images per second")


def _planned_epochs(monitored: MonitoredRun) -> str:
    planned = monitored.summary.epochs_planned if monitored.summary else None
    return format_count(planned) if planned else _UNKNOWN


def _share(value: Any) -> str:
    return _UNKNOWN if value is None or pd.isna(value) else format_percent(float(value))
