"""Fixtures with short heartbeats that end all processes of a test.

FERSCOPE_TEST_DATABASE_URL runs the tests on another database, whose jobs are deleted before each test.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine

from fer_core.jobs.database import JOBS
from fer_core.jobs.job import JobState
from fer_core.jobs.process import is_alive
from fer_core.jobs.store import JobStore
from fer_core.jobs.supervisor_process import supervisor_status
from fer_core.settings import Settings

WAIT_S = 40.0


@pytest.fixture
def quick(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an empty store with short times; also in the environment, for other processes."""
    monkeypatch.setenv("FERSCOPE_HEARTBEAT_S", "0.1")
    monkeypatch.setenv("FERSCOPE_CANCEL_GRACE_S", "0.5")
    monkeypatch.setenv("FERSCOPE_JOBS_AT_ONCE", "2")
    monkeypatch.setenv("FERSCOPE_DATABASE_URL", os.environ.get("FERSCOPE_TEST_DATABASE_URL", ""))
    monkeypatch.delenv("FERSCOPE_JOB", raising=False)
    quick = Settings()
    if quick.database_url:
        engine = create_engine(quick.database_url)
        JOBS.drop(engine, checkfirst=True)
        engine.dispose()
    return quick


@pytest.fixture
def sqlite(quick: Settings) -> Path:
    """The SQLite database file; skips the test with another database."""
    if quick.database_url:
        pytest.skip("This test needs SQLite.")
    quick.store.mkdir(exist_ok=True)
    return quick.store / "ferscope.db"


@pytest.fixture
def jobs(quick: Settings) -> Iterator[JobStore]:
    """The job store; ends the processes of jobs and supervisor afterwards."""
    with JobStore(quick) as jobs:
        yield jobs
        supervisor = supervisor_status(quick).pid
        if supervisor is not None and supervisor != os.getpid():
            end(supervisor)
        for job in jobs.list(states=[JobState.RUNNING]):
            if job.pid is not None and job.pid != os.getpid():
                end(job.pid)


@pytest.fixture
def cli() -> tuple[str, ...]:
    """A replacement for `python -m fer_core`."""
    return (sys.executable, str(Path(__file__).with_name("job_script.py")))


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait until a condition holds."""

    def wait(condition: Callable[[], bool], while_waiting: Callable[[], object] = lambda: None) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline_s, "The condition does not hold."
            while_waiting()
            time.sleep(0.02)

    return wait


@pytest.fixture
def runs() -> Callable[[int], bool]:
    """Whether a process runs and is not a zombie."""

    def is_running(pid: int) -> bool:
        try:
            return is_alive(psutil.Process(pid))
        except psutil.NoSuchProcess:
            return False

    return is_running


def end(pid: int) -> None:
    """Kill a process and its group, and wait until it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s:
        try:
            if not is_alive(psutil.Process(pid)):
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.02)
