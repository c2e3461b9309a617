"""The status of a run: a sentence and headline numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from fer_core.bundles.reports import split_caveat
from fer_core.data.record import Split
from fer_core.errors import RunError
from fer_core.jobs.job import JobState
from fer_core.metrics import HEADLINE_METRICS, METRIC_TITLES
from fer_core.runs.folder import RunState
from fer_core.text import format_duration, join_words, lowercase_first
from fer_core.training.diagnostics import detect_divergence, detect_overfitting
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.describe_data import VALIDATION_AS_TEST, run_validation_is_test
from fer_ui.evaluation.report_view import load_reports, score_headlines
from fer_ui.formatting import format_age, format_count, format_percent
from fer_ui.frame.header import SYNTHETIC_NOTE, Headline, headline, notice
from fer_ui.frame.view_layout import verdict
from fer_ui.image_labels import describe_split
from fer_ui.jobs.job_view import show_job
from fer_ui.training.monitor.monitored_run import MonitoredRun, MonitorState, config_of

_UNKNOWN = "unknown"
_ENDED_WORDS = {
    JobState.FAILED: "Failed",
    JobState.CANCELLED: "Cancelled",
    JobState.INTERRUPTED: "Interrupted",
    JobState.SUCCEEDED: "Ended",
}


class RunStatus(NamedTuple):
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
    status = run_status(monitored)
    verdict(describe_verdict(monitored))
    if status.problem:
        notice("warning", status.problem)
    if status.headlines:
        headline(status.headlines)
    if monitored.job is not None and monitored.job.state is not JobState.SUCCEEDED:  # the verdict says that
        show_job(monitored.job)
    if diverged := detect_divergence(monitored.metrics):
        notice("error", diverged.text)
    if overfit := detect_overfitting(monitored.metrics):
        notice("warning", f"Overfitting. {overfit.text}")
    if status.text:
        st.caption(escape_markdown(status.text))
    if monitored.summary is not None and monitored.summary.synthetic:
        notice("info", SYNTHETIC_NOTE)


def describe_verdict(monitored: MonitoredRun) -> str:
    """Describe state, best epoch, time left and overfitting in one line."""
    done, planned, job = monitored.epochs_done, _planned_epochs(monitored), monitored.job
    after = f"after epoch {done} of {planned}" if done else "before the first epoch"
    if monitored.run is None:
        return "The run is gone"
    if job is not None and job.state is JobState.QUEUED:
        return "Queued"
    if job is not None and job.state in (JobState.RUNNING, JobState.STALLED):
        doing = f"Training epoch {done + 1} of {planned}" if f"{done}" != planned else "Evaluating"
        state = ", ".join(filter(None, (doing, _remaining(monitored))))
    elif monitored.run.state is RunState.FINISHED:
        state = f"Finished: epoch {monitored.best_epoch} of {done} is the best" if done else "Finished"
    elif job is not None and job.state in _ENDED_WORDS:
        state = f"{_ENDED_WORDS[job.state]} {after}"
    else:
        state = f"Not finished, {after}"
    return f"{state}{_describe_trend(monitored.metrics)}"


def _describe_trend(metrics: pd.DataFrame) -> str:
    """Describe how the losses go on: ", overfitting since epoch 4"."""
    if detect_divergence(metrics):
        return ", the loss has diverged"
    if overfit := detect_overfitting(metrics):
        return f", overfitting since epoch {overfit.since_epoch}"
    losses = metrics["valid_loss"].dropna() if "valid_loss" in metrics else pd.Series(dtype=float)
    return ", validation loss still falling" if len(losses) > 1 and losses.idxmin() == losses.index[-1] else ""


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
    """Name a monitored metric within a sentence: "balanced accuracy", "F1 of fear"."""
    return "validation loss" if name == "loss" else lowercase_first(METRIC_TITLES[name])


def _is_active(monitored: MonitoredRun) -> bool:
    return monitored.job is not None and monitored.job.state.active


def _describe_progress(monitored: MonitoredRun) -> str:
    done, planned = monitored.epochs_done, _planned_epochs(monitored)
    if monitored.job is None:
        origin = "It was started on the command line, or its job was deleted"
        changed = f"; last change {format_age(monitored.changed_at)}" if monitored.changed_at else ""
        progress = (
            f"Epoch {done} of {planned} finished, {_describe_best(monitored)}."
            if done
            else "No epoch has finished yet."
        )
        return f"{progress} {origin}{changed}."
    if monitored.job.state.ended:
        if not done:
            return f"It ended before the first of {planned} epochs."
        return f"It ended after epoch {done} of {planned}, {_describe_best(monitored)}."
    if not done:
        return ""  # the progress bar says what it does
    text = f"Epoch {done} of {planned} finished, {_describe_best(monitored)}."
    return f"It is queued to resume. {text}" if monitored.job.state is JobState.QUEUED else text


def _describe_best(monitored: MonitoredRun) -> str:
    best, done = monitored.best_epoch, monitored.epochs_done
    config = config_of(monitored.run) if monitored.run else None
    by = f" by {describe_metric(config.monitor)}" if config else ""
    if best == done:
        return f"the best so far{by}"
    since = done - (best or 0)
    return f"the best{by} was epoch {best}, {since} {'epoch' if since == 1 else 'epochs'} ago"


def _epoch_headlines(monitored: MonitoredRun) -> tuple[Headline, ...]:
    """Build the headline numbers of the best epoch so far."""
    if monitored.metrics.empty:
        return ()
    rows = monitored.metrics[monitored.metrics["epoch"] == monitored.best_epoch]
    best = (rows if len(rows) else monitored.metrics).iloc[-1]
    of = f"validation, epoch {int(best['epoch'])}"
    scores = [
        Headline(METRIC_TITLES[name], _format_share(best.get(f"valid_{name}")), of) for name in HEADLINE_METRICS[:2]
    ]
    return (*scores, _epochs(monitored, _remaining(monitored)), _speed(monitored.metrics))


def _remaining(monitored: MonitoredRun) -> str:
    remaining_s = monitored.job.left_at(datetime.now(UTC)) if monitored.job else None
    return f"about {format_duration(remaining_s)} left" if remaining_s is not None else ""


def _finished(monitored: MonitoredRun) -> RunStatus:
    """Describe a finished run by its report; without one, by its best epoch."""
    assert monitored.run is not None
    best_epoch = monitored.summary.best_epoch if monitored.summary else monitored.best_epoch
    try:
        reports = load_reports(monitored.run)[0]
    except RunError as error:
        return RunStatus(f"Epoch {best_epoch} was kept.", _epoch_headlines(monitored), str(error))
    report, split = reports.headline, describe_split(reports.split)
    text = f"Metrics on {format_count(report.n)} {split} images, {split_caveat(reports.split)}."
    if reports.split == Split.TEST and run_validation_is_test(monitored.run):
        text += f" {VALIDATION_AS_TEST}"
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


def _format_share(value: Any) -> str:
    return _UNKNOWN if value is None or pd.isna(value) else format_percent(float(value))
