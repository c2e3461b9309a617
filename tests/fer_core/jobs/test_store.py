from __future__ import annotations

import sqlite3
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from fer_core.errors import InputError, JobError
from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings


def claim(jobs: JobStore) -> str:
    job = jobs.claim_next()
    assert job is not None
    return job.id


def test_a_job_is_read_as_it_was_submitted(jobs: JobStore, quick: Settings) -> None:
    before = datetime.now(UTC)
    job = jobs.submit(
        JobKind.TRAIN, "Größe, ж", ("train", "--set", "a=b c"), "run-1", resume_args=["--resume"], priority=3
    )
    with JobStore(quick) as another:
        stored = another.get(job.id)
    assert stored == job
    assert stored.args == ("train", "--set", "a=b c")
    assert stored.state is JobState.QUEUED and stored.state.active and not stored.state.ended
    assert before <= stored.created_at <= datetime.now(UTC)
    assert stored.created_at.utcoffset() == timedelta(0)
    assert (stored.pid, stored.exit_code, stored.started_at, stored.heartbeat_at, stored.attempts) == (None,) * 4 + (0,)


def test_ids_are_unique_and_valid(jobs: JobStore) -> None:
    assert jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="mine").id == "mine"
    with pytest.raises(JobError, match="already a job 'mine'"):
        jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="mine")
    with pytest.raises(InputError, match="job id"):
        jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="../up")


def test_an_unknown_id_is_named(jobs: JobStore) -> None:
    for call in (jobs.get, jobs.request_cancel, jobs.resume, jobs.delete):
        with pytest.raises(JobError, match="no job 'nobody'"):
            call("nobody")


def test_list_is_newest_first_and_filters(jobs: JobStore) -> None:
    for number in range(4):
        jobs.submit(JobKind.TRAIN if number % 2 else JobKind.IMPORT, "t", (), f"target-{number}", job_id=f"j{number}")
    jobs.request_cancel("j3")
    assert [job.id for job in jobs.list()] == ["j3", "j2", "j1", "j0"]
    assert [job.id for job in jobs.list(kind=JobKind.TRAIN)] == ["j3", "j1"]
    assert [job.id for job in jobs.list(target="target-2")] == ["j2"]
    assert [job.id for job in jobs.list(states=[JobState.CANCELLED])] == ["j3"]
    assert jobs.list(states=[]) == []
    assert [job.id for job in jobs.list(limit=2)] == ["j3", "j2"]


def test_claims_go_by_priority_then_age(jobs: JobStore) -> None:
    for name, priority in (("old", 0), ("low", -1), ("high", 5), ("young", 0), ("high-too", 5)):
        jobs.submit(JobKind.TRAIN, "t", (), "r", priority=priority, job_id=name)
    order = [claim(jobs) for _ in range(5)]
    assert order == ["high", "high-too", "old", "young", "low"]
    assert jobs.claim_next() is None
    job = jobs.get("old")
    assert job.state is JobState.RUNNING and job.attempts == 1 and job.started_at is not None


def test_no_job_is_claimed_twice_by_threads_and_processes(jobs: JobStore, cli: tuple[str, ...]) -> None:
    ids = {jobs.submit(JobKind.TRAIN, "t", (), "r").id for _ in range(60)}
    processes = [
        subprocess.Popen([*cli, "claim"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"

    def claim_all() -> list[str]:
        job_ids = []
        while (job := jobs.claim_next()) is not None:
            job_ids.append(job.id)
        return job_ids

    with ThreadPoolExecutor(3) as pool:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        claimed_ids = list(pool.map(lambda _: claim_all(), range(3)))
    claims = Counter(job_id for job_ids in claimed_ids for job_id in job_ids)
    for process in processes:
        claims.update(process.communicate(timeout=30)[0].split())
        assert process.returncode == 0
    assert set(claims) == ids
    assert set(claims.values()) == {1}


def test_a_heartbeat_returns_whether_to_stop(jobs: JobStore) -> None:
    jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="j")
    assert jobs.heartbeat("j", 0.1, "too early"), "a job that does not run is told to stop"
    claim(jobs)
    jobs.record_process("j", 4711, 1234.5)
    assert not jobs.heartbeat("j", 0.25, "epoch 2 of 8")
    job = jobs.get("j")
    assert (job.progress_01, job.message, job.pid, job.pid_started_at) == (0.25, "epoch 2 of 8", 4711, 1234.5)
    assert job.heartbeat_at is not None and datetime.now(UTC) - job.heartbeat_at < timedelta(seconds=30)
    assert jobs.request_cancel("j").state is JobState.RUNNING
    assert jobs.heartbeat("j", 7.0, "")
    assert jobs.get("j").progress_01 == 1.0


def test_a_queued_job_is_cancelled_at_once(jobs: JobStore) -> None:
    jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="j")
    cancelled = jobs.request_cancel("j")
    assert cancelled.state is JobState.CANCELLED and cancelled.ended_at is not None
    assert jobs.claim_next() is None


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED])
def test_a_job_that_did_not_succeed_can_be_resumed(jobs: JobStore, state: JobState) -> None:
    jobs.submit(JobKind.TRAIN, "t", ("train",), "r", resume_args=("--resume",), job_id="j")
    first = jobs.claim_next()
    assert first is not None and first.command_args == ("train",)
    jobs.record_process("j", 4711, 1234.5)
    jobs.request_cancel("j")
    assert jobs.finish("j", state, 3, "it broke").resumable
    queued = jobs.resume("j")
    assert queued.state is JobState.QUEUED and not queued.cancel_requested
    assert (queued.pid, queued.exit_code, queued.error, queued.ended_at) == (None, None, "", None)
    again = jobs.claim_next()
    assert again is not None and again.attempts == 2 and again.command_args == ("train", "--resume")


def test_invalid_transitions_are_refused_with_a_remedy(jobs: JobStore) -> None:
    jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="j")
    with pytest.raises(JobError, match=r"'j' can't be resumed: it is queued\. Wait"):
        jobs.resume("j")
    with pytest.raises(JobError, match="'j' can't be deleted: it is queued"):
        jobs.delete("j")
    with pytest.raises(JobError, match="it is queued"):
        jobs.record_process("j", 1, 1.0)
    with pytest.raises(JobError, match="it is queued"):
        jobs.finish("j", JobState.SUCCEEDED, 0, "")
    claim(jobs)
    with pytest.raises(JobError, match="queued is not an end state"):
        jobs.finish("j", JobState.QUEUED, 0, "")
    with pytest.raises(JobError, match="'j' can't be deleted: it is running"):
        jobs.delete("j")
    assert jobs.finish("j", JobState.SUCCEEDED, 0, "").progress_01 == 1.0
    with pytest.raises(JobError, match=r"'j' can't be cancelled: it is succeeded"):
        jobs.request_cancel("j")
    with pytest.raises(JobError, match="'j' can't be resumed: it is succeeded"):
        jobs.resume("j")
    assert not jobs.record_end("j", 1, "late")
    assert jobs.get("j").exit_code == 0


def test_delete_removes_the_log_too(jobs: JobStore, quick: Settings) -> None:
    job = jobs.submit(JobKind.TRAIN, "t", (), "r")
    log = jobs.log_path(job)
    assert log == quick.logs_dir / f"{job.id}.log"
    log.parent.mkdir()
    log.write_text("something")
    jobs.request_cancel(job.id)
    jobs.delete(job.id)
    assert jobs.list() == [] and not log.exists()


def test_a_locked_database_is_reported(jobs: JobStore, quick: Settings, sqlite: Path) -> None:
    jobs.submit(JobKind.TRAIN, "t", (), "r")
    holder = sqlite3.connect(sqlite, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with JobStore(quick, busy_timeout_s=0.2) as impatient_store:
            assert len(impatient_store.list()) == 1, "reading goes on while somebody writes"
            with pytest.raises(JobError, match=r"ferscope\.db was locked for 0\.2 s"):
                impatient_store.submit(JobKind.TRAIN, "t", (), "r")
    finally:
        holder.close()


def test_a_full_disk_is_reported(jobs: JobStore, quick: Settings, sqlite: Path) -> None:
    jobs.list()
    with closing(sqlite3.connect(sqlite)) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]

    def no_more_pages(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    with JobStore(quick) as full:
        event.listen(full._database._engine, "connect", no_more_pages)
        with pytest.raises(JobError, match=r"the disk is full\. Free some space"):
            for _ in range(100):
                full.submit(JobKind.TRAIN, "t" * 2000, (), "r")


def test_an_invalid_database_is_reported(quick: Settings, sqlite: Path) -> None:
    sqlite.write_text("This is no database. " * 100)
    with JobStore(quick) as broken, pytest.raises(JobError, match=r"ferscope\.db can't be used: .*not a database"):
        broken.list()


def test_a_store_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        JobStore(Settings(home=tmp_path / "file" / "store", database_url="")) as invalid_store,
        pytest.raises(JobError, match="can't be used"),
    ):
        invalid_store.list()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql+psycopg://me:hunter2@127.0.0.1:1/jobs", r"me:\*\*\*@127\.0\.0\.1:1/jobs can't be used"),
        ("nosuch://me:hunter2@host/jobs", "FERSCOPE_DATABASE_URL"),
        ("me:hunter2@host", "not an SQLAlchemy URL"),
        ("://me:hunter2@host/x", "not an SQLAlchemy URL"),
        ("sqlite://", "in-memory"),
    ],
)
def test_a_wrong_url_is_named_without_its_password(tmp_path: Path, url: str, message: str) -> None:
    with pytest.raises(JobError, match=message) as error, JobStore(Settings(home=tmp_path, database_url=url)) as jobs:
        jobs.list()
    assert "hunter2" not in str(error.value)


def test_a_relative_sqlite_path_is_relative_to_the_store(tmp_path: Path) -> None:
    with JobStore(Settings(home=tmp_path / "store", database_url="sqlite:///deep/jobs.db")) as jobs:
        jobs.submit(JobKind.TRAIN, "t", (), "r")
    assert (tmp_path / "store" / "deep" / "jobs.db").is_file()


def test_the_database_can_be_used_again_after_dispose(jobs: JobStore) -> None:
    jobs.submit(JobKind.TRAIN, "t", (), "r")
    jobs.dispose()
    assert len(jobs.list()) == 1


def test_a_retried_job_starts_over(jobs: JobStore) -> None:
    jobs.submit(JobKind.TRAIN, "t", ("train",), "r", resume_args=("--resume",), job_id="j")
    claim(jobs)
    jobs.finish("j", JobState.FAILED, 1, "it broke")
    assert jobs.retry("j").state is JobState.QUEUED
    again = jobs.claim_next()
    assert again is not None and again.command_args == ("train",)
    jobs.finish("j", JobState.INTERRUPTED, None, "")
    jobs.resume("j")
    third = jobs.claim_next()
    assert third is not None and third.command_args == ("train", "--resume")


def test_a_queued_job_can_be_moved(jobs: JobStore) -> None:
    for name in ("a", "b", "c"):
        jobs.submit(JobKind.TRAIN, "t", (), "r", job_id=name)
    jobs.set_priority("c", 2)
    jobs.set_priority("a", -1)
    assert [job.id for job in jobs.queued()] == ["c", "b", "a"]
    assert claim(jobs) == "c"
    with pytest.raises(JobError, match="'c' is no longer queued: it is running"):
        jobs.set_priority("c", 3)
    with pytest.raises(InputError, match="1000001"):
        jobs.set_priority("a", 1_000_001)


def test_the_time_left_decreases_between_heartbeats(jobs: JobStore) -> None:
    jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="j")
    assert jobs.get("j").left_at(datetime.now(UTC)) is None
    claim(jobs)
    jobs.heartbeat("j", 0.5, "half", 60.0)
    job = jobs.get("j")
    assert job.heartbeat_at is not None
    assert job.left_at(job.heartbeat_at) == 60
    assert job.left_at(job.heartbeat_at + timedelta(seconds=45)) == 15
    assert job.left_at(job.heartbeat_at + timedelta(hours=1)) == 0
    jobs.finish("j", JobState.SUCCEEDED, 0, "")
    assert jobs.get("j").left_at(job.heartbeat_at) is None
