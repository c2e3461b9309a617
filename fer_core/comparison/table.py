"""Summaries of all runs of a store, cached until files change."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import pandas as pd

from fer_core.comparison.run_summary import FILES_READ, RunSummary, summarize_run
from fer_core.metrics import HEADLINE_METRICS
from fer_core.runs.folder import Run, list_runs
from fer_core.runs.title import distinct_titles
from fer_core.settings import Settings


class RunTable:
    """Summaries of a store's runs; one is read again after its files have changed. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._known: dict[str, tuple[object, RunSummary]] = {}

    def rows(self) -> list[RunSummary]:
        """Summarize all runs, newest first."""
        with self._lock:
            known: dict[str, tuple[object, RunSummary]] = {}
            for run in list_runs(self._settings):
                try:
                    key = _cache_key(run)
                except OSError:
                    continue  # deleted since it was listed
                before = self._known.get(run.id)
                known[run.id] = before if before and before[0] == key else (key, summarize_run(run, self._settings))
            self._known = known
        return newest_first(row for _, row in known.values())


def newest_first(rows: Iterable[RunSummary]) -> list[RunSummary]:
    """Sort runs, newest first; unknown times last."""
    unknown = datetime.min.replace(tzinfo=UTC)
    return sorted(rows, key=lambda row: (row.created or unknown, row.id), reverse=True)


def display_names(rows: Sequence[RunSummary]) -> dict[str, str]:
    """Give each run a unique name: its title, with what differs, its time or id if titles repeat."""
    titles = {row.id: row.title for row in rows}
    return distinct_titles(titles, {row.id: row.created for row in rows}, {row.id: row.config for row in rows})


def to_dataframe(rows: Sequence[RunSummary]) -> pd.DataFrame:
    """Convert summaries to a table for download; metrics 0..1, missing numbers NaN."""
    records = []
    for row in rows:
        metrics, record = row.metrics, asdict(row)
        del record["metrics"], record["evaluation_key"], record["note"], record["config"]
        record |= {"split": metrics.split if metrics else "", "n": metrics.n if metrics else None}
        for name in HEADLINE_METRICS:
            low, high = row.interval(name) or (None, None)
            record |= {name: row.score(name), f"{name}_low": low, f"{name}_high": high}
        record |= {
            "state": str(row.state),
            "created": row.created.isoformat() if row.created else "",
            "tags": " ".join(row.tags),
            "note": row.note,
        }
        records.append(record)
    return pd.DataFrame(records)


def _cache_key(run: Run) -> object:
    """Names of the run's files, with time and size of those that its summary reads."""
    files = []
    with os.scandir(run.folder) as entries:
        for entry in entries:
            name = entry.name
            if name in FILES_READ:
                stat = entry.stat()
                files.append((name, stat.st_mtime_ns, stat.st_size))
            elif not name.startswith("."):
                files.append((name, 0, 0))
    return tuple(sorted(files))
