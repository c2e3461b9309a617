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
from fer_ui.training.monitor.monitored_run import Phase, Subject, config_of, look

_METRICS = {
    "macro_f1": "macro-F1",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "loss": "validation loss",
}
_SCORES = {"macro_f1": "Macro-F1", "balanced_accuracy": "Balanced accuracy"}
_JUDGED = {
    "test": "test images, which neither training nor the choice of the epoch touched",
    "valid": "validation images, on which the epoch was chosen: they flatter a little",
}
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer to how a training stands; `numbers` are empty before the first epoch. `lacks` is what is missing."""

    sentence: str
    numbers: tuple[Headline, ...]
    lacks: str = ""


def show_standing(run_id: str, job_id: str, was: Phase) -> None:
    """Show it, with the job's progress and what can be done with the job; draws the page anew when its parts change."""
    subject = look(run_id, job_id)
    if subject.phase != was:
        st.rerun()
    active = subject.job is not None and subject.job.state.active
    if subject.job is not None and not active:  # how it ended comes before its figures
        show_job(subject.job)
    stands = standing(subject)
    if stands.lacks:
        notice("warning", stands.lacks)
    if stands.sentence:
        st.markdown(escape_markdown(stands.sentence))
    if stands.numbers:
        headline(stands.numbers)
    if subject.job is not None and active:
        show_job(subject.job)
    if subject.row is not None and subject.row.synthetic:
        notice("info", "Trained and judged on drawings. These figures say nothing about people.")


def standing(subject: Subject) -> Standing:
    """The sentence and the numbers for whatever state a training is in."""
    if subject.run is None:
        gone = f"There is no run folder {subject.run_id} in the store: it was deleted, or never made."
        return Standing("", (), gone)
    if subject.run.state is RunState.FINISHED and not _goes_on(subject):
        return _finished(subject)
    if subject.run.state is RunState.BROKEN:
        lost = join_words(subject.run.missing()) or "config.yaml"
        lacks = f"The run {subject.run_id} is not whole: it lacks {lost}. Put that back, or delete the run."
        return Standing("", _numbers(subject), lacks)
    return Standing(_sentence(subject), _numbers(subject))


def metric_words(name: str) -> str:
    """What an epoch is judged by: "balanced accuracy", "F1 of fear"."""
    return _METRICS.get(name) or f"F1 of {name.removeprefix('f1_')}"


def _goes_on(subject: Subject) -> bool:
    return subject.job is not None and subject.job.state.active


def _sentence(subject: Subject) -> str:
    done, asked = subject.epochs_done, _asked(subject)
    if subject.job is None:
        whence = "It was started on the command line, or its job was deleted"
        rested = f"; its files changed last {format_age(subject.changed_at)}" if subject.changed_at else ""
        reached = f"Epoch {done} of {asked} is done, {_best(subject)}." if done else "No epoch has finished yet."
        return f"{reached} {whence}{rested}."
    if subject.job.state.ended:
        if not done:
            return f"It ended before the first of {asked} epochs."
        return f"It ended after epoch {done} of {asked}, {_best(subject)}."
    if not done:
        return ""  # the progress bar says what it does, and the place of the curves what comes
    words = f"Epoch {done} of {asked} is done, {_best(subject)}."
    return f"It goes on from there when its turn comes. {words}" if subject.job.state is JobState.QUEUED else words


def _best(subject: Subject) -> str:
    """Which epoch is kept so far, and by what."""
    best, done = subject.best_epoch, subject.epochs_done
    config = config_of(subject.run) if subject.run else None
    by = f" by {metric_words(config.monitor)}" if config else ""
    if best == done:
        return f"the best so far{by}"
    since = done - (best or 0)
    return f"the best{by} was epoch {best}, {since} {'epoch' if since == 1 else 'epochs'} ago"


def _numbers(subject: Subject) -> tuple[Headline, ...]:
    """Those of the best epoch so far."""
    if subject.metrics.empty:
        return ()
    rows = subject.metrics[subject.metrics["epoch"] == subject.best_epoch]
    best = (rows if len(rows) else subject.metrics).iloc[-1]
    of = f"validation, epoch {int(best['epoch'])}"
    scores = [Headline(name, _share(best.get(f"valid_{score}")), of) for score, name in _SCORES.items()]
    return (*scores, _epochs(subject, _left(subject)), _speed(subject.metrics))


def _left(subject: Subject) -> str:
    left_s = subject.job.left_at(datetime.now(UTC)) if subject.job else None
    return f"{format_duration(left_s)} left" if left_s is not None else ""


def _finished(subject: Subject) -> Standing:
    """The report's figures, and on what they were judged; without a report, the best epoch's."""
    assert subject.run is not None
    kept = subject.row.best_epoch if subject.row else subject.best_epoch
    ended = "" if subject.job else "Finished. "  # the job says so itself
    try:
        splits = reports_of(subject.run)
    except RunError as error:
        return Standing(f"{ended}Epoch {kept} was kept.", _numbers(subject), str(error))
    split = "test" if "test" in splits else next(iter(splits))
    report = next(iter(splits[split].values()))
    judged = _JUDGED.get(split, f"{describe_split(split)} images")
    sentence = f"{ended}The figures are those of {count(report['n'])} {judged}."
    scores = [_judged_score(report, score, name) for score, name in _SCORES.items()]
    last = (_speed(subject.metrics),) if not subject.metrics.empty else ()
    return Standing(sentence, (*scores, _epochs(subject, f"epoch {kept} was kept"), *last))


def _judged_score(report: Mapping[str, Any], score: str, name: str) -> Headline:
    bounds = (report.get("intervals") or {}).get(score)
    detail = f"95 %: {interval(*bounds)}" if bounds else ""
    return Headline(name, _share(report.get(score)), detail)


def _epochs(subject: Subject, detail: str) -> Headline:
    return Headline("Epochs", f"{count(subject.epochs_done)} of {_asked(subject)}", detail)


def _speed(metrics: pd.DataFrame) -> Headline:
    speed = metrics.iloc[-1].get("images_per_s")
    value = _UNKNOWN if speed is None or pd.isna(speed) else f"{count(round(speed))}/s"
    return Headline("Speed", value, "training images a second")


def _asked(subject: Subject) -> str:
    asked = subject.row.epochs_asked if subject.row else None
    return count(asked) if asked else _UNKNOWN


def _share(value: Any) -> str:
    return _UNKNOWN if value is None or pd.isna(value) else percent(float(value))
