"""How a training stands: a sentence and the large numbers that answer first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.errors import RunError
from fer_core.jobs.job import JobState
from fer_core.runs.folder import RunState
from fer_core.text import join_words
from fer_ui.escaping import escape_markdown
from fer_ui.evaluation.report_view import reports_of
from fer_ui.formatting import count, interval, percent
from fer_ui.header import Headline, headline, notice
from fer_ui.image_labels import describe_split
from fer_ui.jobs.job_view import format_age, format_duration, show_job
from fer_ui.training.monitor.monitored_run import MonitoredRun, MonitorState, config_of, load_monitored_run

_METRICS = {
    "macro_f1": "macro-F1",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "loss": "validation loss",
}
_SCORES = {"macro_f1": "Macro-F1", "balanced_accuracy": "Balanced accuracy"}
_SPLIT_CAVEATS = {
    "test": "test images, which neither training nor the choice of the epoch touched",
    "valid": "validation images, on which the epoch was chosen: they flatter a little",
}
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The answer to how a training stands; `numbers` are empty before the first epoch. `problem` is what is missing."""

    text: str
    numbers: tuple[Headline, ...]
    problem: str = ""


def show_run_status(run_id: str, job_id: str, was: MonitorState) -> None:
    """Show it, with the job's progress and what can be done with the job; draws the page anew when its parts change."""
    monitored = load_monitored_run(run_id, job_id)
    if monitored.state != was:
        st.rerun()
    active = monitored.job is not None and monitored.job.state.active
    if monitored.job is not None and not active:  # how it ended comes before its figures
        show_job(monitored.job)
    stands = run_status(monitored)
    if stands.problem:
        notice("warning", stands.problem)
    if stands.text:
        st.markdown(escape_markdown(stands.text))
    if stands.numbers:
        headline(stands.numbers)
    if monitored.job is not None and active:
        show_job(monitored.job)
    if monitored.summary is not None and monitored.summary.synthetic:
        notice("info", "Trained and judged on drawings. These figures say nothing about people.")


def run_status(monitored: MonitoredRun) -> RunStatus:
    """The sentence and the numbers for whatever state a training is in."""
    if monitored.run is None:
        gone = f"There is no run folder {monitored.run_id} in the store: it was deleted, or never made."
        return RunStatus("", (), gone)
    if monitored.run.state is RunState.FINISHED and not _is_active(monitored):
        return _finished(monitored)
    if monitored.run.state is RunState.BROKEN:
        lost = join_words(monitored.run.missing()) or "config.yaml"
        problem = f"The run {monitored.run_id} is not whole: it lacks {lost}. Put that back, or delete the run."
        return RunStatus("", _numbers(monitored), problem)
    return RunStatus(_sentence(monitored), _numbers(monitored))


def describe_metric(name: str) -> str:
    """What an epoch is judged by: "balanced accuracy", "F1 of fear"."""
    return _METRICS.get(name) or f"F1 of {name.removeprefix('f1_')}"


def _is_active(monitored: MonitoredRun) -> bool:
    return monitored.job is not None and monitored.job.state.active


def _sentence(monitored: MonitoredRun) -> str:
    done, planned = monitored.epochs_done, _planned_epochs(monitored)
    if monitored.job is None:
        whence = "It was started on the command line, or its job was deleted"
        rested = f"; its files changed last {format_age(monitored.changed_at)}" if monitored.changed_at else ""
        reached = f"Epoch {done} of {planned} is done, {_best(monitored)}." if done else "No epoch has finished yet."
        return f"{reached} {whence}{rested}."
    if monitored.job.state.ended:
        if not done:
            return f"It ended before the first of {planned} epochs."
        return f"It ended after epoch {done} of {planned}, {_best(monitored)}."
    if not done:
        return ""  # the progress bar says what it does, and the place of the curves what comes
    words = f"Epoch {done} of {planned} is done, {_best(monitored)}."
    return f"It goes on from there when its turn comes. {words}" if monitored.job.state is JobState.QUEUED else words


def _best(monitored: MonitoredRun) -> str:
    """Which epoch is kept so far, and by what."""
    best, done = monitored.best_epoch, monitored.epochs_done
    config = config_of(monitored.run) if monitored.run else None
    by = f" by {describe_metric(config.monitor)}" if config else ""
    if best == done:
        return f"the best so far{by}"
    since = done - (best or 0)
    return f"the best{by} was epoch {best}, {since} {'epoch' if since == 1 else 'epochs'} ago"


def _numbers(monitored: MonitoredRun) -> tuple[Headline, ...]:
    """Those of the best epoch so far."""
    if monitored.metrics.empty:
        return ()
    rows = monitored.metrics[monitored.metrics["epoch"] == monitored.best_epoch]
    best = (rows if len(rows) else monitored.metrics).iloc[-1]
    of = f"validation, epoch {int(best['epoch'])}"
    scores = [Headline(name, _share(best.get(f"valid_{score}")), of) for score, name in _SCORES.items()]
    return (*scores, _epochs(monitored, _left(monitored)), _speed(monitored.metrics))


def _left(monitored: MonitoredRun) -> str:
    left_s = monitored.job.left_at(datetime.now(UTC)) if monitored.job else None
    return f"{format_duration(left_s)} left" if left_s is not None else ""


def _finished(monitored: MonitoredRun) -> RunStatus:
    """The report's figures, and on what they were judged; without a report, the best epoch's."""
    assert monitored.run is not None
    kept = monitored.summary.best_epoch if monitored.summary else monitored.best_epoch
    ended = "" if monitored.job else "Finished. "  # the job says so itself
    try:
        splits = reports_of(monitored.run)
    except RunError as error:
        return RunStatus(f"{ended}Epoch {kept} was kept.", _numbers(monitored), str(error))
    split = "test" if "test" in splits else next(iter(splits))
    report = next(iter(splits[split].values()))
    evaluated = _SPLIT_CAVEATS.get(split, f"{describe_split(split)} images")
    text = f"{ended}The figures are those of {count(report['n'])} {evaluated}."
    scores = [_reported_score(report, score, name) for score, name in _SCORES.items()]
    last = (_speed(monitored.metrics),) if not monitored.metrics.empty else ()
    return RunStatus(text, (*scores, _epochs(monitored, f"epoch {kept} was kept"), *last))


def _reported_score(report: Mapping[str, Any], score: str, name: str) -> Headline:
    bounds = (report.get("intervals") or {}).get(score)
    detail = f"95 %: {interval(*bounds)}" if bounds else ""
    return Headline(name, _share(report.get(score)), detail)


def _epochs(monitored: MonitoredRun, detail: str) -> Headline:
    return Headline("Epochs", f"{count(monitored.epochs_done)} of {_planned_epochs(monitored)}", detail)


def _speed(metrics: pd.DataFrame) -> Headline:
    speed = metrics.iloc[-1].get("images_per_s")
    value = _UNKNOWN if speed is None or pd.isna(speed) else f"{count(round(speed))}/s"
    return Headline("Speed", value, "training images a second")


def _planned_epochs(monitored: MonitoredRun) -> str:
    planned = monitored.summary.epochs_planned if monitored.summary else None
    return count(planned) if planned else _UNKNOWN


def _share(value: Any) -> str:
    return _UNKNOWN if value is None or pd.isna(value) else percent(float(value))
