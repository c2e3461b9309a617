"""Experiment trackers: TensorBoard event files, and MLflow if a server is configured."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, Protocol

from fer_core.runs.folder import Run
from fer_core.training.config.train_config import flatten

EVENTS_FOLDER = "events"

MLFLOW_VARIABLE = "MLFLOW_TRACKING_URI"
"""Environment variable with the URL of an MLflow server; its client reads it too."""


class Tracker(Protocol):
    """Receives the metrics of every epoch."""

    def log_epoch(self, row: Mapping[str, Any]) -> None:
        """Log an epoch's row of `metrics.jsonl`."""

    def close(self) -> None:
        """End the log."""


class TensorBoard:
    """Writes event files into the run's folder: `tensorboard --logdir RUN` shows them."""

    def __init__(self, run: Run) -> None:
        writers = importlib.import_module("tensorboardX")
        self._writer = writers.SummaryWriter(str(run.path(EVENTS_FOLDER)), flush_secs=10)

    def log_epoch(self, row: Mapping[str, Any]) -> None:
        """Write every metric as a scalar, grouped by split."""
        for name, value in numeric_metrics(row).items():
            split, _, metric = name.partition("_")
            tag = f"{split}/{metric}" if split in ("train", "valid") else f"run/{name}"
            self._writer.add_scalar(tag, value, int(row["epoch"]))
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


class MlFlow:
    """Logs to a run of the same name on the server that MLFLOW_TRACKING_URI names."""

    def __init__(self, run: Run, config: Mapping[str, Any]) -> None:
        self._mlflow = importlib.import_module("mlflow")  # not among the requirements
        self._mlflow.set_experiment("FERscope")
        self._mlflow.start_run(run_name=run.id)
        self._mlflow.log_params(flatten(config))

    def log_epoch(self, row: Mapping[str, Any]) -> None:
        """Send the metrics."""
        self._mlflow.log_metrics(numeric_metrics(row), step=int(row["epoch"]))

    def close(self) -> None:
        """End the run on the server."""
        self._mlflow.end_run()


class FailSafeTracker:
    """Drops a tracker that fails, with a line in the log; the training continues."""

    def __init__(self, run: Run, name: str, build: Callable[[], Tracker]) -> None:
        self._run, self._name = run, name
        self._tracker: Tracker | None = None
        self._tracker = self._try(build)

    def log_epoch(self, row: Mapping[str, Any]) -> None:
        """Log an epoch."""
        if tracker := self._tracker:
            self._try(lambda: tracker.log_epoch(row))

    def close(self) -> None:
        """Close it."""
        if tracker := self._tracker:
            self._try(tracker.close)

    def _try(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ImportError as exc:
            self._run.append_log(f"{self._name} is not used: a package is missing ({exc}). Install it with pip.")
        except Exception as exc:  # noqa: BLE001  (a failing tracker must not end a training)
            self._run.append_log(f"{self._name} is dropped for this run ({type(exc).__name__}: {exc}).")
        self._tracker = None
        return None


def build_trackers(run: Run, config: Mapping[str, Any]) -> list[FailSafeTracker]:
    """Build a TensorBoard tracker, and one for MLflow if `MLFLOW_TRACKING_URI` is set.

    Args:
        config: the run's config as plain data.
    """
    trackers = [FailSafeTracker(run, "TensorBoard", lambda: TensorBoard(run))]
    if os.environ.get(MLFLOW_VARIABLE):
        trackers.append(FailSafeTracker(run, "MLflow", lambda: MlFlow(run, config)))
    return trackers


def numeric_metrics(row: Mapping[str, Any]) -> dict[str, float]:
    """Select the numbers of an epoch's row, without the epoch."""
    return {name: float(value) for name, value in row.items() if isinstance(value, Real) and name != "epoch"}
