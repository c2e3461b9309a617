"""Every run of a store as a table, made again only where files have changed."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import pandas as pd

from fer_core.comparison.run_summary import FILES_READ, RunSummary, summarize_run
from fer_core.metrics import HEADLINE_METRICS
from fer_core.runs.folder import Run, list_runs
from fer_core.settings import Settings


class RunTable:
    """The rows of a store's runs; a row is made again once one of its files has changed. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._known: dict[str, tuple[object, RunSummary]] = {}

    def rows(self) -> list[RunSummary]:
        """Every run, the newest first."""
        with self._lock:
            known: dict[str, tuple[object, RunSummary]] = {}
            for run in list_runs(self._settings):
                try:
                    stamp = _cache_key(run)
                except OSError:
                    continue  # deleted since it was listed
                before = self._known.get(run.id)
                known[run.id] = before if before and before[0] == stamp else (stamp, summarize_run(run))
            self._known = known
        return newest_first(row for _, row in known.values())


def newest_first(rows: Iterable[RunSummary]) -> list[RunSummary]:
    """Rows by when their runs were made; those that nobody can tell it of come last."""
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(rows, key=lambda row: (row.created or never, row.id), reverse=True)


def display_names(rows: Sequence[RunSummary]) -> dict[str, str]:
    """What each run is called beside the others: its title; its time as well, or else its id, where titles repeat."""
    titles = Counter(row.title for row in rows)
    timed = {row.id: row.title if titles[row.title] == 1 else f"{row.title}, {_minute(row)}" for row in rows}
    times = Counter(timed.values())
    return {row.id: timed[row.id] if times[timed[row.id]] == 1 else f"{row.title}, {row.id}" for row in rows}


def to_dataframe(rows: Sequence[RunSummary]) -> pd.DataFrame:
    """The rows as a table, shares 0..1, missing numbers as NaN: what is downloaded."""
    records = []
    for row in rows:
        record = {name: value for name, value in asdict(row).items() if name not in ("metrics", "judged_on", "note")}
        metrics = row.metrics
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
    """What changes whenever the row would: which files are there, and those it reads with their times and sizes."""
    found = []
    with os.scandir(run.folder) as entries:
        for entry in entries:
            name = entry.name
            if name in FILES_READ:
                told = entry.stat()
                found.append((name, told.st_mtime_ns, told.st_size))
            elif not name.startswith("."):
                found.append((name, 0, 0))
    return tuple(sorted(found))


def _minute(row: RunSummary) -> str:
    return f"{row.created:%Y-%m-%d %H:%M}" if row.created else row.id
