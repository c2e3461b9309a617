"""The monitored run: its folder and job as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeAlias

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

_WATCHED_FILES = ("metrics.jsonl", "log.txt", "checkpoint.pt", "config.yaml", "run.json")
_IDLE_AFTER = timedelta(minutes=10)
"""A run without a job counts as stopped when its files have not changed for this long."""


FileVersion: TypeAlias = tuple[int, int]
"""Modification time in nanoseconds and size in bytes; zeros for a missing file."""


class MonitorState(NamedTuple):
    """Determines which sections the page has; it reruns when this changes."""

    job: JobState | None
    run: RunState | None
    has_epochs: bool
    live: bool


@dataclass(frozen=True, slots=True)
class MonitoredRun:
    """A training run and its job.

    Attributes:
        run: None if the folder is gone.
        job: None for a run made on the command line, or whose job was deleted.
        summary: the run's config and results in short.
        metrics: a row per epoch; shared between sessions, so not to be changed.
        metrics_version: of the file of the metrics.
        changed_at: when the run last wrote a file.
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
        """Whether the run may still change."""
        if self.job is not None:
            return self.job.state.active
        if self.run is None or self.run.state is not RunState.UNFINISHED or self.changed_at is None:
            return False
        return datetime.now(UTC) - self.changed_at < max(_IDLE_AFTER, 3 * timedelta(seconds=self.epoch_s))

    @property
    def state(self) -> MonitorState:
        """What determines the sections of the page."""
        state = self.run.state if self.run else None
        return MonitorState(self.job.state if self.job else None, state, not self.metrics.empty, self.live)

    @property
    def title(self) -> str:
        """Title of the run; of its job if the run is gone."""
        if self.summary is not None:
            return self.summary.title
        return self.job.title if self.job else self.run_id

    @property
    def best_epoch(self) -> int | None:
        """The best epoch so far."""
        return best_epoch_of(self.metrics)

    @property
    def epochs_done(self) -> int:
        """Number of finished epochs."""
        return 0 if self.metrics.empty else int(self.metrics["epoch"].max())

    @property
    def epoch_s(self) -> float:
        """Duration of the last epoch in seconds; 0 if unknown."""
        seconds = None if self.metrics.empty else self.metrics.iloc[-1].get("seconds")
        return 0.0 if seconds is None or pd.isna(seconds) else float(seconds)


def load_monitored_run(run_id: str, job_id: str) -> MonitoredRun:
    """Load the run and its job; a deleted job or folder is None."""
    try:
        job = job_store().get(job_id) if job_id else None
    except JobError:
        job = None
    try:
        run = open_run(run_id, settings())
    except (RunError, InputError):
        return MonitoredRun(run_id, None, job, None, pd.DataFrame(), (0, 0), None)
    metrics_version = _file_version(run.path("metrics.jsonl"))
    metrics = _load_metrics(run.folder, metrics_version)
    return MonitoredRun(run_id, run, job, summarize_run(run, settings()), metrics, metrics_version, _changed_at(run))


def best_epoch_of(metrics: pd.DataFrame) -> int | None:
    """Find the best epoch so far: as the run recorded it, or computed from the metrics."""
    if metrics.empty:
        return None
    recorded = metrics["best_epoch"].iloc[-1] if "best_epoch" in metrics else None
    return find_best_epoch(metrics) if recorded is None or pd.isna(recorded) else int(recorded)


def config_of(run: Run) -> TrainConfig | None:
    """Load the run's config; None if this version can't read it."""
    try:
        return load_config(run.path("config.yaml"))
    except ConfigError:
        return None


@st.cache_resource(show_spinner=False, max_entries=8)
def _load_metrics(folder: Path, metrics_version: FileVersion) -> pd.DataFrame:
    """Load a row per epoch; shared between sessions, so not to be changed."""
    del metrics_version  # cache key
    metrics = Run(folder).metrics()
    return metrics if "epoch" in metrics else pd.DataFrame()


def _file_version(path: Path) -> FileVersion:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


def _changed_at(run: Run) -> datetime | None:
    times = [path.stat().st_mtime for path in map(run.path, _WATCHED_FILES) if path.is_file()]
    return datetime.fromtimestamp(max(times), UTC) if times else None
