from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from fer_core.jobs.database import JOBS
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings

FIRST_TABLE = """
CREATE TABLE jobs (
    id VARCHAR(80) NOT NULL PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, args JSON NOT NULL,
    resume_args JSON NOT NULL, target TEXT NOT NULL, state VARCHAR(16) NOT NULL, priority INTEGER NOT NULL,
    created_at DATETIME NOT NULL, started_at DATETIME, ended_at DATETIME, heartbeat_at DATETIME, pid INTEGER,
    pid_started_at DOUBLE, exit_code INTEGER, progress_01 DOUBLE NOT NULL, message TEXT NOT NULL,
    error TEXT NOT NULL, cancel_requested BOOLEAN NOT NULL, attempts INTEGER NOT NULL
)
"""
ROW = """
INSERT INTO jobs VALUES (
    'old', 'train', 'Old', '["train"]', '["--resume"]', 'r', 'queued', 0, '2026-01-01 00:00:00', NULL, NULL, NULL,
    NULL, NULL, NULL, 0.0, '', '', 0, 1
)
"""


def test_a_table_of_the_first_version_is_upgraded(quick: Settings, sqlite: Path) -> None:
    with closing(sqlite3.connect(sqlite)) as connection:
        connection.execute(FIRST_TABLE)
        connection.execute(ROW)
        connection.commit()
    with JobStore(quick) as jobs:
        job = jobs.get("old")
        assert (job.device, job.from_start, job.left_s) == ("cpu", False, None)
        assert (job.step_elapsed_s, job.stalled_after_s, job.usual_step_s, job.stalls, job.stall_recorded) == (
            None,
            None,
            None,
            0,
            False,
        )
        claimed = jobs.claim_next()
        assert claimed is not None and claimed.command_args == ("train", "--resume"), "it was resumed before the change"
    with JobStore(quick) as reopened:
        assert reopened.get("old").attempts == 2, "a second opening changes nothing"
    with closing(sqlite3.connect(sqlite)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(jobs)")]
    assert columns == [column.name for column in JOBS.columns]
