from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fer_core.jobs.job import ACTIVE_STATES, Job, JobKind, JobState
from fer_core.jobs.process import is_alive
from fer_core.jobs.reporter import ProgressReporter
from fer_core.jobs.stall import StepTimer, StepTiming, describe_stall, stall_remedy
from fer_core.jobs.store import JobStore
from fer_core.jobs.supervisor import Supervisor
from fer_core.progress import StepMessage
from fer_core.settings import Settings

LEAST_S = 120.0


def steps(timer: StepTimer, number: int, every_s: float, kind: str = "batch", from_s: float = 0.0) -> float:
    """Start steps at an interval; returns when the last one started."""
    for index in range(number):
        timer.start_step(from_s + index * every_s, StepMessage(f"step {index}", kind))
    return from_s + (number - 1) * every_s


@pytest.mark.parametrize(
    ("every_s", "after_s"),
    [(0.4, 120.0), (12.0, 120.0), (12.1, 121.0), (60.0, 600.0)],
)
def test_a_step_stalls_after_ten_times_the_usual_time_and_two_minutes(every_s: float, after_s: float) -> None:
    timer = StepTimer(LEAST_S)
    last_s = steps(timer, 20, every_s)
    timing = timer.timing(last_s + 7)
    assert timing is not None
    assert timing.step_elapsed_s == pytest.approx(7)
    assert timing.usual_step_s == pytest.approx(every_s)
    assert timing.stalled_after_s == pytest.approx(after_s)


def test_one_slow_step_does_not_change_the_usual_time() -> None:
    timer = StepTimer(LEAST_S)
    last_s = steps(timer, 20, 30.0)
    steps(timer, 20, 30.0, from_s=last_s + 900)
    timing = timer.timing(last_s + 900 + 19 * 30.0)
    assert timing is not None and timing.usual_step_s == 30.0


def test_each_kind_of_step_has_its_own_usual_time() -> None:
    timer = StepTimer(LEAST_S)
    last_s = steps(timer, 20, 60.0)
    last_s = steps(timer, 100, 1.0, "judging", from_s=last_s + 60)
    timer.start_step(last_s + 1, StepMessage("again", "batch"))
    timing = timer.timing(last_s + 1)
    assert timing is not None and timing.stalled_after_s == 600.0


def test_the_first_steps_may_take_an_hour() -> None:
    timer = StepTimer(LEAST_S)
    assert timer.timing(10_000.0) is None, "no step yet"
    last_s = steps(timer, 2, 1.0)
    assert timer.timing(last_s) == StepTiming(0.0, 3600.0, None)


def test_work_of_unknown_length_never_stalls() -> None:
    timer = StepTimer(LEAST_S)
    last_s = steps(timer, 20, 1.0)
    timer.start_step(last_s + 1, "Judging the best epoch")
    assert timer.timing(last_s + 100_000) is None


@pytest.fixture
def running(jobs: JobStore) -> Job:
    """A running job `j` without progress."""
    jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="j")
    claimed = jobs.claim_next()
    assert claimed is not None
    return claimed


def test_a_job_without_steps_is_stalled_in_every_query(jobs: JobStore, running: Job) -> None:
    assert running.state is JobState.RUNNING
    jobs.heartbeat("j", 0.5, "batch 3", timing=StepTiming(119.0, 130.0, 13.0))
    assert jobs.get("j").state is JobState.RUNNING
    jobs.heartbeat("j", 0.5, "batch 3", 60.0, StepTiming(131.0, 130.0, 13.0))
    job = jobs.get("j")
    assert job.state is JobState.STALLED and job.state.active
    assert job.left_at(datetime.now(UTC)) is None, "unknown"
    assert [stalled_job.id for stalled_job in jobs.list(states=[JobState.STALLED])] == ["j"]
    assert [stalled_job.id for stalled_job in jobs.list(states=ACTIVE_STATES, limit=1)] == ["j"]
    assert jobs.list(states=[JobState.RUNNING]) == []
    jobs.heartbeat("j", 0.6, "batch 4", timing=StepTiming(0.1, 130.0, 13.0))
    assert jobs.get("j").state is JobState.RUNNING
    assert jobs.list(states=[JobState.STALLED]) == []


def test_a_missing_heartbeat_counts_as_step_time(jobs: JobStore, running: Job) -> None:
    jobs.heartbeat("j", 0.5, "batch 3", timing=StepTiming(1.0, 130.0, 13.0))
    job = jobs.get("j")
    assert job.heartbeat_at is not None
    assert not job.stalled_at(job.heartbeat_at + timedelta(seconds=128))
    assert job.stalled_at(job.heartbeat_at + timedelta(seconds=130))
    ended = replace(job, state=JobState.SUCCEEDED)
    assert not ended.stalled_at(job.heartbeat_at + timedelta(days=1))


def test_a_requeued_job_is_not_stalled(jobs: JobStore, running: Job) -> None:
    jobs.heartbeat("j", 0.5, "batch 3", timing=StepTiming(131.0, 130.0, 13.0))
    assert jobs.record_stall("j").stalls == 1
    assert jobs.heartbeat("j", 0.5, "batch 3"), "the job must stop"
    queued = jobs.resume_stalled("j")
    assert (queued.state, queued.stalls, queued.stall_recorded, queued.step_elapsed_s) == (
        JobState.QUEUED,
        1,
        False,
        None,
    )
    claimed = jobs.claim_next()
    assert claimed is not None and claimed.attempts == 2
    jobs.finish("j", JobState.FAILED, 1, "no")
    assert jobs.resume("j").stalls == 0, "resuming by hand resets the count"


def test_the_heartbeat_has_the_step_timing(
    jobs: JobStore, running: Job, quick: Settings, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERSCOPE_JOB", "j")
    stalling_settings = quick.model_copy(update={"stalled_after_s": 0.3, "heartbeat_s": 0.05})
    with ProgressReporter.from_environment(stalling_settings) as reporter:
        for number in range(5):
            reporter(0.5, StepMessage(f"batch {number}", "batch"))
        until(lambda: jobs.get("j").state is JobState.STALLED)
        assert jobs.get("j").message == "batch 4"
        reporter(0.5, StepMessage("batch 5", "batch"))
        until(lambda: jobs.get("j").state is JobState.RUNNING)
        reporter(0.9, "Judging")
        until(lambda: jobs.get("j").stalled_after_s is None)


def test_a_stall_and_its_remedy_are_described(jobs: JobStore, running: Job, quick: Settings) -> None:
    jobs.heartbeat("j", 0.5, "batch 3", timing=StepTiming(300.0, 120.0, 0.4))
    job = jobs.get("j")
    assert job.heartbeat_at is not None
    assert describe_stall(job, job.heartbeat_at) == "No batch has finished for 5 min; one usually takes 0.4 s."
    assert stall_remedy(job, quick) == "Its process is stopped and the job resumes from its last finished epoch."
    again = replace(job, stalls=1)
    assert stall_remedy(again, quick) == "It has stalled before, so its process is stopped and the job fails."
    without_resume = quick.model_copy(update={"resume_stalled": False})
    assert stall_remedy(job, without_resume) == "Cancel the job, then resume it from its last finished epoch."


@pytest.fixture
def short_stall(jobs: JobStore, quick: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with which 0.3 seconds count as stalled; also for job processes."""
    monkeypatch.setenv("FERSCOPE_STALLED_AFTER_S", "0.3")
    return quick.model_copy(update={"stalled_after_s": 0.3})


@pytest.fixture
def make_supervisor(
    jobs: JobStore, short_stall: Settings, cli: tuple[str, ...]
) -> Iterator[Callable[[Settings], Supervisor]]:
    """Create supervisors that are polled by the test; kills their jobs afterwards."""
    supervisors: list[Supervisor] = []

    def make(settings: Settings) -> Supervisor:
        supervisors.append(Supervisor(settings, cli).__enter__())
        return supervisors[-1]

    yield make
    for supervisor in supervisors:
        for process in supervisor._processes.values():
            process.kill()
            assert process._child is not None
            process._child.wait()
        supervisor.__exit__()


def test_a_hung_job_is_killed_and_resumed_once(
    jobs: JobStore,
    short_stall: Settings,
    make_supervisor: Callable[[Settings], Supervisor],
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    supervisor = make_supervisor(short_stall)
    notes = tmp_path / "attempts"
    job = jobs.submit(JobKind.TRAIN, "t", ("hang", "1", str(notes)), "r", resume_args=("--resume",))
    until(lambda: jobs.get(job.id).state is JobState.STALLED, while_waiting=supervisor.poll)
    until(lambda: jobs.get(job.id).state.ended, while_waiting=supervisor.poll)
    job = jobs.get(job.id)
    assert (job.state, job.attempts, job.stalls, job.error) == (JobState.SUCCEEDED, 2, 1, "")
    assert [line.split()[-1] for line in notes.read_text().splitlines()] == [str(notes), "--resume"]
    assert "No batch has finished for" in jobs.log_path(job).read_text()


def test_a_second_stall_fails_the_job_with_a_remedy(
    jobs: JobStore,
    short_stall: Settings,
    make_supervisor: Callable[[Settings], Supervisor],
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    supervisor = make_supervisor(short_stall)
    job = jobs.submit(JobKind.TRAIN, "t", ("hang", "9", str(tmp_path / "attempts")), "r", resume_args=("--resume",))
    until(lambda: jobs.get(job.id).state.ended, while_waiting=supervisor.poll)
    job = jobs.get(job.id)
    assert (job.state, job.attempts, job.stalls, job.exit_code) == (JobState.FAILED, 2, 2, -signal.SIGKILL)
    assert "stalled twice" in job.error and "batch 20 of 20" in job.error and "resume" in job.error
    assert supervisor._processes == {}


def test_stalled_jobs_are_kept_if_the_settings_say_so(
    jobs: JobStore,
    short_stall: Settings,
    make_supervisor: Callable[[Settings], Supervisor],
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    supervisor = make_supervisor(short_stall.model_copy(update={"resume_stalled": False}))
    job = jobs.submit(JobKind.TRAIN, "t", ("hang", "9", str(tmp_path / "attempts")), "r")
    until(lambda: jobs.get(job.id).state is JobState.STALLED, while_waiting=supervisor.poll)
    polls = iter(range(60))
    until(lambda: next(polls, None) is None, while_waiting=supervisor.poll)
    assert jobs.get(job.id).state is JobState.STALLED and jobs.get(job.id).stalls == 0
    jobs.request_cancel(job.id)
    until(lambda: jobs.get(job.id).state is JobState.CANCELLED, while_waiting=supervisor.poll)


def test_a_stalled_job_is_resumed_by_the_next_supervisor(
    jobs: JobStore, running: Job, short_stall: Settings, make_supervisor: Callable[[Settings], Supervisor]
) -> None:
    jobs.record_stall("j")  # by a supervisor that was killed together with the job
    make_supervisor(short_stall.model_copy(update={"jobs_at_once": 1})).poll()
    job = jobs.get("j")
    assert job.attempts == 2 and job.stalls == 1, "requeued and started"


def test_an_old_heartbeat_alone_stops_no_job(
    jobs: JobStore,
    short_stall: Settings,
    make_supervisor: Callable[[Settings], Supervisor],
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    """After the machine was suspended, the heartbeat is hours old."""
    supervisor = make_supervisor(short_stall.model_copy(update={"heartbeat_s": 60.0}))
    job = jobs.submit(JobKind.TRAIN, "t", ("wait", str(tmp_path / "go")), "r")
    until(lambda: jobs.get(job.id).message == "waiting", while_waiting=supervisor.poll)
    for _ in range(3):
        jobs.heartbeat(job.id, 0.5, "waiting", timing=StepTiming(9999.0, 1.0, 0.1))
        supervisor.poll()
        assert jobs.get(job.id).stalls == 0
    process = supervisor._processes[job.id]
    assert process.stop_requested_for_s is None and is_alive(process._process)
    (tmp_path / "go").touch()
    until(lambda: jobs.get(job.id).state is JobState.SUCCEEDED, while_waiting=supervisor.poll)


def test_the_step_timer_is_thread_safe() -> None:
    timer, stop_reading = StepTimer(LEAST_S), threading.Event()

    def read_timing() -> None:
        while not stop_reading.is_set():
            timer.timing(1.0)

    reader = threading.Thread(target=read_timing)
    reader.start()
    steps(timer, 5000, 0.001)
    stop_reading.set()
    reader.join()
    timing = timer.timing(5.0)
    assert timing is not None and timing.usual_step_s == pytest.approx(0.001)


def test_a_step_message_is_a_string() -> None:
    step = StepMessage("batch 3", "batch")
    assert step == "batch 3" and json.dumps(step) == '"batch 3"' and type(str(step)) is str
