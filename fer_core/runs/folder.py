"""Read and write run folders.

config.yaml  contract.json  data.json  facts.json  split.parquet  seen-images.bin  metrics.jsonl  checkpoint.pt
weights.safetensors  predictions-<split>.parquet  report.json  calibration.json  model.onnx  bundle.json  log.txt
events/ (TensorBoard)  notes.json
and, written last, run.json, which marks the run as finished.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from fer_core.errors import RunError
from fer_core.files.atomic import atomic_folder, atomic_path, rename, write_bytes, write_json, write_text
from fer_core.files.migration import SPLITS, rename_json_keys
from fer_core.ids import check_id
from fer_core.runs.facts import FACTS_FILE, RunFacts
from fer_core.settings import Settings

_MARKER = "run.json"
_LOCK = ".training.lock"
CHECKPOINT = "checkpoint.pt"
WEIGHTS = "weights.safetensors"
STAGED_WEIGHTS = "weights-*.safetensors"
"""Weights of an epoch, until the checkpoint that names the epoch as the best is written."""
_REQUIRED_FILES = ("config.yaml", "contract.json", WEIGHTS, "model.onnx", "report.json")


class RunState(StrEnum):
    """State of a run folder."""

    UNFINISHED = "unfinished"
    FINISHED = "finished"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder. Writing is atomic; reading a missing or damaged file raises `RunError`."""

    folder: Path

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def state(self) -> RunState:
        """Finished if `run.json` and the required files exist; broken if some are missing."""
        if (self.folder / _MARKER).is_file():
            return RunState.BROKEN if self.missing() else RunState.FINISHED
        return RunState.UNFINISHED if (self.folder / "config.yaml").is_file() else RunState.BROKEN

    def missing(self) -> list[str]:
        """Required files of a finished run that are missing."""
        return [name for name in _REQUIRED_FILES if not (self.folder / name).is_file()]

    def path(self, name: str) -> Path:
        """A file of the run."""
        return self.folder / name

    def config_text(self) -> str:
        """Read the training config, YAML."""
        return self._read_text("config.yaml")

    def summary(self) -> dict[str, Any]:
        """Read `run.json`: best epoch, metrics, data and environment."""
        return self._read_json(_MARKER)

    def report(self) -> dict[str, Any]:
        """Read the evaluation report."""
        return self._read_json("report.json")

    def facts(self) -> RunFacts | None:
        """Facts about the latest start; None for runs of earlier versions, and before the first start."""
        if not self.path(FACTS_FILE).is_file():
            return None
        try:
            return RunFacts(**self._read_json(FACTS_FILE))
        except TypeError:  # written by another version
            return None

    def log(self, lines_max: int = 200) -> str:
        """Read the end of the training log; "" if there is none."""
        path = self.folder / "log.txt"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines_max:]) if path.is_file() else ""

    def metrics(self) -> pd.DataFrame:
        """Read the metrics, a row per epoch. An incomplete last line (a crash) is ignored."""
        return pd.DataFrame(self._metric_rows())

    def append_metrics(self, row: dict[str, Any]) -> None:
        """Append an epoch's metrics and flush them to the disk."""
        with (self.folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(row, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def truncate_metrics(self, epoch: int) -> None:
        """Delete the metrics of epochs after `epoch`; with 0 also checkpoint and weights."""
        if epoch == 0:
            # First: a restarted run that is killed in its first epoch must not resume from an earlier attempt.
            for name in (CHECKPOINT, WEIGHTS):
                (self.folder / name).unlink(missing_ok=True)
            for staged in self.folder.glob(STAGED_WEIGHTS):
                staged.unlink()
        kept = [row for row in self._metric_rows() if row["epoch"] <= epoch]
        write_text(self.folder / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in kept))

    def append_log(self, line: str) -> None:
        """Append a line with the time to the training log."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        with (self.folder / "log.txt").open("a") as file:
            file.write(f"{stamp} {line}\n")

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the run."""
        write_bytes(self.folder / name, content)

    def rename(self, name: str, to: str) -> None:
        """Rename a file of the run; replaces an existing one."""
        rename(self.folder / name, self.folder / to)

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a Parquet file of the run."""
        with atomic_path(self.folder / name) as temporary:
            table.to_parquet(temporary, index=False, compression="zstd")

    def read_table(self, name: str) -> pd.DataFrame:
        """Read a Parquet file of the run."""
        try:
            return pd.read_parquet(self.folder / name)
        except FileNotFoundError:
            raise RunError(f"The run {self.id} has no {name}: it was not written yet, or was deleted.") from None
        except (OSError, ValueError) as exc:
            raise RunError(f"{name} of the run {self.id} is damaged ({exc}). Delete the run and train again.") from exc

    def read_split(self) -> pd.DataFrame:
        """Read the split of each image: `id` and `split`.

        Raises:
            RunError: the split was not made yet, or the file is damaged.
        """
        table = self.read_table("split.parquet")
        return table.assign(split=table["split"].replace(SPLITS))

    def finish(self, summary: dict[str, Any]) -> None:
        """Write `run.json` and delete the checkpoint.

        Raises:
            RunError: a required file is missing.
        """
        if missing := self.missing():
            raise RunError(f"The run {self.id} can't be finished: {', '.join(missing)} missing.")
        write_json(self.folder / _MARKER, summary)
        (self.folder / CHECKPOINT).unlink(missing_ok=True)

    def _metric_rows(self) -> list[dict[str, Any]]:
        path = self.folder / "metrics.jsonl"
        rows: list[dict[str, Any]] = []
        for line in path.read_text().splitlines() if path.is_file() else []:
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return rows

    def _read_text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise RunError(
                f"{name} of the run {self.id} can't be read ({exc}). Delete the run and train again."
            ) from exc

    def _read_json(self, name: str) -> dict[str, Any]:
        try:
            content = json.loads(rename_json_keys(self._read_text(name).encode()))
        except json.JSONDecodeError as exc:
            raise RunError(f"{name} of the run {self.id} is damaged ({exc}). Delete the run and train again.") from exc
        if not isinstance(content, dict):
            raise RunError(f"{name} of the run {self.id} is damaged (no object). Delete the run and train again.")
        return content


@contextmanager
def training_lock(run: Run, *, timeout_s: float = 10.0) -> Iterator[None]:
    """Lock the run for training until the end of the block or of the process.

    Raises:
        RunError: another process is training it.
    """
    try:
        with FileLock(run.path(_LOCK), timeout=timeout_s):
            yield
    except Timeout:
        raise RunError(f"Another process is training the run {run.id}. Wait for its end, or stop it first.") from None


def create_run(run_id: str, config_yaml: str, settings: Settings) -> Run:
    """Create a run folder with its config.

    Raises:
        RunError: the id is taken.
    """
    folder = settings.runs_dir / check_id(run_id, "run")
    if folder.exists():
        raise RunError(f"There is a run {run_id!r} already. Choose another id, resume it, or delete it.")
    with atomic_folder(folder) as temporary:
        write_text(temporary / "config.yaml", config_yaml)
    return Run(folder)


def open_run(run_id: str, settings: Settings) -> Run:
    """Open a run by id, in any state.

    Raises:
        RunError: there is no such run.
    """
    folder = settings.runs_dir / check_id(run_id, "run")
    if not folder.is_dir():
        raise RunError(f"There is no run {run_id!r} in the store. `python -m fer_core runs list` lists all runs.")
    return Run(folder)


def list_runs(settings: Settings) -> list[Run]:
    """List all runs, newest first by id."""
    if not settings.runs_dir.is_dir():
        return []
    folders = [folder for folder in settings.runs_dir.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    return [Run(folder) for folder in sorted(folders, reverse=True)]


def weights_path(name: str, runs_dir: Path) -> Path:
    """Resolve `init_from`: the weights of a run with that id, otherwise a path, which need not exist."""
    run_weights = runs_dir / name / WEIGHTS
    return run_weights if "/" not in name and run_weights.is_file() else Path(name).expanduser()


def delete_run(run_id: str, settings: Settings) -> None:
    """Delete a run folder.

    Raises:
        RunError: there is no such run, or a process is training it.
    """
    run = open_run(run_id, settings)
    with training_lock(run, timeout_s=0):
        run.path(_MARKER).unlink(missing_ok=True)  # first, so that a half-deleted run is not a finished one
        shutil.rmtree(run.folder)
