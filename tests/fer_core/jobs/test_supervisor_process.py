from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from fer_core.errors import JobError
from fer_core.jobs.job import Job, JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.jobs.supervisor_process import ensure_supervisor, supervisor_status
from fer_core.settings import Settings


@pytest.fixture
def wait_for_state(jobs: JobStore, until: Callable[..., None]) -> Callable[..., Job]:
    """Wait until a job is in a state, and return it."""

    def wait(job: Job, state: JobState) -> Job:
        until(lambda: jobs.get(job.id).state is state)
        return jobs.get(job.id)

    return wait


def supervisor_pids(store: Settings) -> list[int]:
    """The pids of all supervisors of a store."""
    pids = []
    for process in psutil.process_iter():
        try:
            is_of_store = process.environ().get("FERSCOPE_HOME") == str(store.store)
            if is_of_store and process.cmdline()[-1:] == ["supervise"]:
                pids.append(process.pid)
        except psutil.Error:
            continue
    return pids


def test_a_supervisor_starts_once_runs_jobs_and_exits(
    jobs: JobStore,
    quick: Settings,
    cli: tuple[str, ...],
    wait_for_state: Callable[..., Job],
    until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEST_IDLE_EXIT_S", "1.5")
    assert not supervisor_status(quick).running
    job = jobs.submit(JobKind.TRAIN, "t", ("work",), "r")
    pid = ensure_supervisor(quick, cli)
    assert ensure_supervisor(quick, cli) == pid
    assert supervisor_status(quick).pid == pid and os.getsid(pid) == pid
    wait_for_state(job, JobState.SUCCEEDED)
    until(lambda: not supervisor_status(quick).running)
    until(lambda: not psutil.pid_exists(pid))


def test_concurrent_callers_start_one_supervisor(jobs: JobStore, quick: Settings, cli: tuple[str, ...]) -> None:
    barrier = threading.Barrier(4)

    def start(_: int) -> int:
        barrier.wait()
        return ensure_supervisor(quick, cli)

    with ThreadPoolExecutor(4) as pool:
        pids = list(pool.map(start, range(4)))
    assert len(set(pids)) == 1
    assert supervisor_pids(quick) == pids[:1]


def test_a_killed_supervisor_loses_no_job(
    jobs: JobStore,
    quick: Settings,
    cli: tuple[str, ...],
    wait_for_state: Callable[..., Job],
    until: Callable[..., None],
    runs: Callable[[int], bool],
    tmp_path: Path,
) -> None:
    start_flag = tmp_path / "go"
    reporting_job = jobs.submit(JobKind.TRAIN, "t", ("wait", str(start_flag)), "r")
    silent_job = jobs.submit(JobKind.TRAIN, "t", ("mute", str(start_flag)), "r")
    first = ensure_supervisor(quick, cli)
    for job in (reporting_job, silent_job):
        until(lambda job=job: jobs.get(job.id).pid is not None)
    os.kill(first, signal.SIGKILL)
    until(lambda: not runs(first))
    assert not supervisor_status(quick).running
    pids = [jobs.get(job.id).pid for job in (reporting_job, silent_job)]
    assert all(pid is not None and runs(pid) for pid in pids), "the jobs continue"
    until(lambda: jobs.get(reporting_job.id).message == "waiting")

    assert ensure_supervisor(quick, cli) != first
    until(lambda: (quick.logs_dir / "supervisor.log").read_text().count("Took over job") == 2)
    assert [jobs.get(job.id).pid for job in (reporting_job, silent_job)] == pids, "and are not restarted"
    start_flag.touch()
    assert wait_for_state(reporting_job, JobState.SUCCEEDED).exit_code == 0
    assert "unobserved" in wait_for_state(silent_job, JobState.INTERRUPTED).error, "it did not report its end"


def test_a_job_taken_over_can_be_cancelled(
    jobs: JobStore,
    quick: Settings,
    cli: tuple[str, ...],
    wait_for_state: Callable[..., Job],
    until: Callable[..., None],
    runs: Callable[[int], bool],
    tmp_path: Path,
) -> None:
    pid_file = tmp_path / "child"
    job = jobs.submit(JobKind.TRAIN, "t", ("stubborn", str(pid_file)), "r")
    first = ensure_supervisor(quick, cli)
    until(lambda: pid_file.exists() and pid_file.read_text() != "")
    os.kill(first, signal.SIGKILL)
    until(lambda: not runs(first))
    jobs.request_cancel(job.id)
    ensure_supervisor(quick, cli)
    wait_for_state(job, JobState.CANCELLED)
    until(lambda: not runs(int(pid_file.read_text())))


def test_sigterm_ends_the_supervisor_and_not_its_jobs(
    jobs: JobStore,
    quick: Settings,
    cli: tuple[str, ...],
    wait_for_state: Callable[..., Job],
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    start_flag = tmp_path / "go"
    job = jobs.submit(JobKind.TRAIN, "t", ("wait", str(start_flag)), "r")
    first = ensure_supervisor(quick, cli)
    until(lambda: jobs.get(job.id).message == "waiting")
    os.kill(first, signal.SIGTERM)
    until(lambda: not psutil.pid_exists(first))
    assert not (quick.store / "supervisor.json").exists()
    start_flag.touch()
    until(lambda: jobs.get(job.id).exit_code == 0)
    assert jobs.get(job.id).state is JobState.RUNNING
    ensure_supervisor(quick, cli)
    wait_for_state(job, JobState.SUCCEEDED)


def test_a_stale_pid_file_is_no_supervisor(quick: Settings) -> None:
    quick.store.mkdir()
    pid_file = quick.store / "supervisor.json"
    for content in ({"pid": os.getpid(), "create_time": 1.0, "started": "2026-01-31T12:00:00+00:00"}, {"pid": "?"}, []):
        pid_file.write_text(json.dumps(content))
        assert not supervisor_status(quick).running
    pid_file.write_text("{")
    assert not supervisor_status(quick).running


def test_a_supervisor_that_cannot_start_is_reported(quick: Settings) -> None:
    with pytest.raises(JobError, match=r"ended right after its start: No module today\. See .*supervisor\.log"):
        ensure_supervisor(quick, (sys.executable, "-c", "raise SystemExit('No module today.')"))
    with pytest.raises(JobError, match="could not be started"):
        ensure_supervisor(quick, ("/no/such/program",))


def test_a_supervisor_that_hangs_is_stopped(quick: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.jobs.supervisor_process.START_TIMEOUT_S", 0.5)
    with pytest.raises(JobError, match=r"lock within 0\.5 s"):
        ensure_supervisor(quick, (sys.executable, "-c", "import time; time.sleep(60)"))
    assert supervisor_pids(quick) == []
