"""What is watched: a run folder and the job that works on it, as they are right now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import streamlit as st

from fer_core.comparison.run_summary import RunSummary, summarize_run
from fer_core.errors import ConfigError, InputError, JobError, RunError
from fer_core.jobs.job import Job, JobState
from fer_core.runs.folder import Run, RunState, open_run
from fer_core.settings import settings
from fer_core.training.config.train_config import TrainConfig, load_config
from fer_ui.charts.training.loss_and_scores import find_best_epoch
from fer_ui.resources import job_store

_WRITTEN = ("metrics.jsonl", "log.txt", "checkpoint.pt", "config.yaml", "run.json")
_QUIET_MIN = timedelta(minutes=10)
"""Nobody tells when a run without a job is stopped; one whose files rest for this long is no longer renewed."""


class FileVersion(NamedTuple):
    """Which state of a file was read: when it changed, in nanoseconds, and its size."""

    changed_ns: int
    size_bytes: int


_NO_FILE = FileVersion(0, 0)


class MonitorState(NamedTuple):
    """What decides which parts the page has: when it changes, the whole page is drawn anew."""

    job: JobState | None
    run: RunState | None
    has_epochs: bool
    live: bool


@dataclass(frozen=True, slots=True)
class MonitoredRun:
    """A training.

    Attributes:
        run: None where the folder is gone.
        job: None for a run made on the command line, or whose job was deleted.
        summary: the run's small files in short.
        metrics: a row an epoch; shared between sessions, so not to be changed.
        metrics_version: of the metrics.
        changed_at: when the run last wrote something.
    """

    run_id: str
    run: Run | None
    job: Job | None
    summary: RunSummary | None
    metrics: pd.DataFrame
    metrics_version: FileVersion
    changed_at: datetime | None

    @property
    def live(self) -> bool:
        """Whether something may still change by itself."""
        if self.job is not None:
            return self.job.state.active
        if self.run is None or self.run.state is not RunState.UNFINISHED or self.changed_at is None:
            return False
        return datetime.now(UTC) - self.changed_at < max(_QUIET_MIN, 3 * timedelta(seconds=self.epoch_s))

    @property
    def state(self) -> MonitorState:
        """Which parts the page has."""
        state = self.run.state if self.run else None
        return MonitorState(self.job.state if self.job else None, state, not self.metrics.empty, self.live)

    @property
    def title(self) -> str:
        """What the training is called."""
        if self.job is not None:
            return self.job.title
        return self.summary.title if self.summary else self.run_id

    @property
    def best_epoch(self) -> int | None:
        """The epoch that is kept, of those so far."""
        return best_epoch_of(self.metrics)

    @property
    def epochs_done(self) -> int:
        """How many epochs are finished."""
        return 0 if self.metrics.empty else int(self.metrics["epoch"].max())

    @property
    def epoch_s(self) -> float:
        """How long the last epoch took, 0 where that is not known."""
        seconds = None if self.metrics.empty else self.metrics.iloc[-1].get("seconds")
        return 0.0 if seconds is None or pd.isna(seconds) else float(seconds)


def load_monitored_run(run_id: str, job_id: str) -> MonitoredRun:
    """Read it; a job that was deleted meanwhile, or a folder, is None."""
    try:
        job = job_store().get(job_id) if job_id else None
    except JobError:
        job = None
    try:
        run = open_run(run_id, settings())
    except (RunError, InputError):
        return MonitoredRun(run_id, None, job, None, pd.DataFrame(), _NO_FILE, None)
    metrics_version = _file_version(run.path("metrics.jsonl"))
    return MonitoredRun(
        run_id, run, job, summarize_run(run), _metrics(run.folder, metrics_version), metrics_version, _changed_at(run)
    )


def best_epoch_of(metrics: pd.DataFrame) -> int | None:
    """The epoch that is kept, of those so far; what the run itself noted, where it did."""
    if metrics.empty:
        return None
    noted = metrics["best_epoch"].iloc[-1] if "best_epoch" in metrics else None
    return find_best_epoch(metrics) if noted is None or pd.isna(noted) else int(noted)


def config_of(run: Run) -> TrainConfig | None:
    """The run's config; None where this version can't read it."""
    try:
        return load_config(run.path("config.yaml"))
    except ConfigError:
        return None


@st.cache_resource(show_spinner=False, max_entries=8)
def _metrics(folder: Path, metrics_version: FileVersion) -> pd.DataFrame:
    """A row an epoch; shared between sessions, so not to be changed."""
    del metrics_version  # part of the key: it is another file then
    metrics = Run(folder).metrics()
    return metrics if "epoch" in metrics else pd.DataFrame()


def _file_version(path: Path) -> FileVersion:
    try:
        stat = path.stat()
    except OSError:
        return _NO_FILE
    return FileVersion(stat.st_mtime_ns, stat.st_size)


def _changed_at(run: Run) -> datetime | None:
    times = [path.stat().st_mtime for path in map(run.path, _WRITTEN) if path.is_file()]
    return datetime.fromtimestamp(max(times), UTC) if times else None
