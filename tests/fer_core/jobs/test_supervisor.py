from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from fer_core.errors import JobError
from fer_core.jobs.job import Job, JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.jobs.supervisor import Supervisor
from fer_core.jobs.supervisor_process import supervisor_status
from fer_core.settings import Settings


@pytest.fixture
def supervisor(jobs: JobStore, quick: Settings, cli: tuple[str, ...]) -> Iterator[Supervisor]:
    """A supervisor that is polled by the test; kills its jobs afterwards."""
    with Supervisor(quick, cli) as supervisor:
        yield supervisor
        for process in supervisor._processes.values():
            process.kill()
            assert process._child is not None
            process._child.wait()


@pytest.fixture
def drive(supervisor: Supervisor, jobs: JobStore, until: Callable[..., None]) -> Callable[..., Job]:
    """Poll until a job is in a state, and return it."""

    def to(job: Job, state: JobState) -> Job:
        until(lambda: jobs.get(job.id).state is state, while_waiting=supervisor.poll)
        return jobs.get(job.id)

    return to


def test_a_job_succeeds(jobs: JobStore, drive: Callable[..., Job]) -> None:
    job = drive(jobs.submit(JobKind.TRAIN, "t", ("work", "ä"), "r"), JobState.SUCCEEDED)
    assert (job.exit_code, job.error, job.progress_01, job.attempts) == (0, "", 1.0, 1)
    assert job.message == "step 9"
    assert job.started_at is not None and job.ended_at is not None and job.started_at <= job.ended_at
    log = jobs.log_path(job).read_text()
    assert "attempt 1" in log and "notes: ä" in log


def test_a_job_fails_with_a_reason(jobs: JobStore, drive: Callable[..., Job]) -> None:
    job = drive(
        jobs.submit(JobKind.TRAIN, "t", ("fail", "batch_size is 0, at least 1 is needed"), "r"), JobState.FAILED
    )
    assert (job.exit_code, job.error) == (1, "ValueError: batch_size is 0, at least 1 is needed")


def test_a_job_that_was_stopped_from_outside_is_interrupted(jobs: JobStore, drive: Callable[..., Job]) -> None:
    assert drive(jobs.submit(JobKind.TRAIN, "t", ("die", "75"), "r"), JobState.INTERRUPTED).exit_code == 75


def test_a_missing_program_fails_the_job(jobs: JobStore, quick: Settings) -> None:
    missing = jobs.submit(JobKind.TRAIN, "t", (), "r")
    with Supervisor(quick, ("/no/such/program",)) as supervisor:
        supervisor.poll()
    assert jobs.get(missing.id).state is JobState.FAILED
    assert "could not be started" in jobs.get(missing.id).error


def test_a_job_that_handles_sigterm_is_cancelled(
    jobs: JobStore, drive: Callable[..., Job], until: Callable[..., None], tmp_path: Path
) -> None:
    job = drive(jobs.submit(JobKind.TRAIN, "t", ("wait", str(tmp_path / "never")), "r"), JobState.RUNNING)
    until(lambda: jobs.get(job.id).message == "waiting")
    jobs.request_cancel(job.id)
    job = drive(job, JobState.CANCELLED)
    assert job.exit_code == 75, "it stopped by itself"


def test_a_job_that_ignores_sigterm_is_killed_with_its_children(
    jobs: JobStore,
    drive: Callable[..., Job],
    until: Callable[..., None],
    runs: Callable[[int], bool],
    tmp_path: Path,
) -> None:
    pid_file = tmp_path / "child"
    job = drive(jobs.submit(JobKind.TRAIN, "t", ("stubborn", str(pid_file)), "r"), JobState.RUNNING)
    until(lambda: pid_file.exists() and pid_file.read_text() != "")
    child = int(pid_file.read_text())
    assert runs(child)
    jobs.request_cancel(job.id)
    job = drive(job, JobState.CANCELLED)
    assert job.exit_code == -signal.SIGKILL
    until(lambda: not runs(child))


def test_a_killed_job_is_interrupted_with_its_children_and_can_be_resumed(
    jobs: JobStore,
    drive: Callable[..., Job],
    until: Callable[..., None],
    runs: Callable[[int], bool],
    tmp_path: Path,
) -> None:
    pid_file = tmp_path / "child"
    submitted = jobs.submit(JobKind.TRAIN, "t", ("parent", str(pid_file)), "r")
    job = drive(submitted, JobState.RUNNING)
    until(lambda: pid_file.exists() and pid_file.read_text() != "")
    assert job.pid is not None
    os.kill(job.pid, signal.SIGKILL)
    job = drive(job, JobState.INTERRUPTED)
    assert job.exit_code == -signal.SIGKILL and "SIGKILL" in job.error
    until(lambda: not runs(int(pid_file.read_text())))


def test_resuming_adds_the_resume_arguments(jobs: JobStore, drive: Callable[..., Job]) -> None:
    job = drive(jobs.submit(JobKind.TRAIN, "t", ("die", "3"), "r", resume_args=("--resume",)), JobState.FAILED)
    assert job.error == "Exit code 3; the log is empty."
    jobs.resume(job.id)
    job = drive(job, JobState.FAILED)
    assert job.attempts == 2 and "die() takes 1 positional argument but 2 were given" in job.error
    log = jobs.log_path(job).read_text()
    assert "attempt 1" in log and "attempt 2" in log and "die 3 --resume" in log


def test_concurrency_is_limited_and_higher_priority_starts_first(
    jobs: JobStore, supervisor: Supervisor, drive: Callable[..., Job], tmp_path: Path
) -> None:
    start_flag = tmp_path / "go"
    submitted = [
        jobs.submit(JobKind.TRAIN, "t", ("wait", str(start_flag)), "r", priority=number) for number in range(4)
    ]
    for _ in range(3):
        supervisor.poll()
    running = {job.id for job in jobs.list(states=[JobState.RUNNING])}
    assert running == {submitted[3].id, submitted[2].id}
    start_flag.touch()
    for job in submitted:
        drive(job, JobState.SUCCEEDED)


def test_a_job_has_its_own_session_and_low_priority(jobs: JobStore, drive: Callable[..., Job], tmp_path: Path) -> None:
    start_flag = tmp_path / "go"
    job = drive(jobs.submit(JobKind.TRAIN, "t", ("wait", str(start_flag)), "r"), JobState.RUNNING)
    assert job.pid is not None and job.pid_started_at == pytest.approx(psutil.Process(job.pid).create_time(), abs=2)
    assert os.getsid(job.pid) == job.pid
    assert psutil.Process(job.pid).nice() >= 5
    start_flag.touch()
    drive(job, JobState.SUCCEEDED)


def test_a_reused_pid_is_not_mistaken_for_the_job(jobs: JobStore, supervisor: Supervisor) -> None:
    jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="j")
    jobs.claim_next()
    jobs.record_process("j", os.getpid(), psutil.Process().create_time() - 3600)
    supervisor.poll()
    job = jobs.get("j")
    assert job.state is JobState.INTERRUPTED and "unobserved" in job.error
    assert supervisor._processes == {}


def test_a_job_without_a_recorded_pid_is_found(
    jobs: JobStore, supervisor: Supervisor, until: Callable[..., None]
) -> None:
    jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="j")
    jobs.claim_next()
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        env=os.environ | {"FERSCOPE_JOB": "j"},
        start_new_session=True,
    )
    try:
        supervisor.poll()
        assert jobs.get("j").pid == process.pid
        jobs.request_cancel("j")
        supervisor.poll()
        assert process.wait(30) == -signal.SIGTERM
        until(lambda: jobs.get("j").state is JobState.CANCELLED, while_waiting=supervisor.poll)
    finally:
        process.kill()
        process.wait()
        supervisor._processes.clear()


def test_a_second_supervisor_is_refused(
    supervisor: Supervisor, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.jobs.supervisor._LOCK_TIMEOUT_S", 0.1)
    with pytest.raises(JobError, match=f"Process {os.getpid()} already supervises"), Supervisor(quick):
        pass
    status = supervisor_status(quick)
    assert status.running and status.pid == os.getpid() and status.since is not None


def test_an_idle_supervisor_exits(jobs: JobStore, quick: Settings) -> None:
    Supervisor(quick, idle_exit_s=0.2, poll_interval_s=0.02).run_forever()
    assert not supervisor_status(quick).running
    assert not (quick.store / "supervisor.json").exists()


def test_a_job_queued_during_the_exit_is_run(
    jobs: JobStore, quick: Settings, cli: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    exit_supervisor = Supervisor.__exit__
    late_jobs: list[Job] = []

    def submit_and_exit(self: Supervisor, *exc: object) -> None:
        if not late_jobs:
            assert supervisor_status(quick).running, "so nobody starts another"
            late_jobs.append(jobs.submit(JobKind.TRAIN, "t", ("work",), "r"))
        exit_supervisor(self, *exc)

    monkeypatch.setattr(Supervisor, "__exit__", submit_and_exit)
    Supervisor(quick, cli, idle_exit_s=0.2, poll_interval_s=0.02).run_forever()
    assert jobs.get(late_jobs[0].id).state is JobState.SUCCEEDED


def test_stop_ends_the_supervisor(quick: Settings, until: Callable[..., None]) -> None:
    supervisor = Supervisor(quick, poll_interval_s=0.02)
    thread = threading.Thread(target=supervisor.run_forever)
    thread.start()
    until(lambda: supervisor_status(quick).running)
    supervisor.stop()
    thread.join(30)
    assert not thread.is_alive() and not supervisor_status(quick).running


def test_a_deleted_store_ends_the_supervisor(quick: Settings, until: Callable[..., None]) -> None:
    supervisor = Supervisor(quick, poll_interval_s=0.02)
    thread = threading.Thread(target=supervisor.run_forever)
    thread.start()
    until(lambda: supervisor_status(quick).running)
    (quick.store / "supervisor.json").unlink()
    thread.join(30)
    assert not thread.is_alive()


def test_a_failed_poll_is_repeated(
    jobs: JobStore, quick: Settings, cli: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.jobs.supervisor._ERROR_PAUSE_S", 0.02)
    job = jobs.submit(JobKind.TRAIN, "t", ("work",), "r")
    claim, failures = JobStore.claim_next, iter(range(3))

    def fail_three_times(self: JobStore, full: Iterable[str]) -> Job | None:
        if next(failures, None) is not None:
            raise JobError("The database is away.")
        return claim(self)

    monkeypatch.setattr(JobStore, "claim_next", fail_three_times)
    Supervisor(quick, cli, idle_exit_s=0.5, poll_interval_s=0.02).run_forever()
    assert jobs.get(job.id).state is JobState.SUCCEEDED
