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


def steps(watch: StepTimer, number: int, every_s: float, kind: str = "batch", from_s: float = 0.0) -> float:
    """Note steps at a pace; when the last one began."""
    for place in range(number):
        watch.start_step(from_s + place * every_s, StepMessage(f"step {place}", kind))
    return from_s + (number - 1) * every_s


@pytest.mark.parametrize(
    ("every_s", "after_s"),
    [(0.4, 120.0), (12.0, 120.0), (12.1, 121.0), (60.0, 600.0)],
)
def test_a_step_may_take_ten_times_its_usual_pace_and_two_minutes(every_s: float, after_s: float) -> None:
    watch = StepTimer(LEAST_S)
    last_s = steps(watch, 20, every_s)
    timing = watch.timing(last_s + 7)
    assert timing is not None
    assert timing.step_elapsed_s == pytest.approx(7)
    assert timing.usual_step_s == pytest.approx(every_s)
    assert timing.stalled_after_s == pytest.approx(after_s)


def test_one_slow_step_does_not_change_the_usual_pace() -> None:
    watch = StepTimer(LEAST_S)
    last_s = steps(watch, 20, 30.0)
    steps(watch, 20, 30.0, from_s=last_s + 900)
    timing = watch.timing(last_s + 900 + 19 * 30.0)
    assert timing is not None and timing.usual_step_s == 30.0


def test_steps_of_another_kind_have_a_pace_of_their_own() -> None:
    watch = StepTimer(LEAST_S)
    last_s = steps(watch, 20, 60.0)
    last_s = steps(watch, 100, 1.0, "judging", from_s=last_s + 60)
    watch.start_step(last_s + 1, StepMessage("again", "batch"))
    timing = watch.timing(last_s + 1)
    assert timing is not None and timing.stalled_after_s == 600.0


def test_before_there_is_a_pace_a_first_batch_may_take_an_hour() -> None:
    watch = StepTimer(LEAST_S)
    assert watch.timing(10_000.0) is None, "nothing has begun"
    last_s = steps(watch, 2, 1.0)
    assert watch.timing(last_s) == StepTiming(0.0, 3600.0, None)


def test_work_whose_length_nobody_knows_never_stalls() -> None:
    watch = StepTimer(LEAST_S)
    last_s = steps(watch, 20, 1.0)
    watch.start_step(last_s + 1, "Judging the best epoch")
    assert watch.timing(last_s + 100_000) is None


@pytest.fixture
def running(jobs: JobStore) -> Job:
    """A running job `j`, of which nothing is known yet."""
    jobs.submit(JobKind.TRAIN, "t", (), "r", job_id="j")
    claimed = jobs.claim_next()
    assert claimed is not None
    return claimed


def test_a_silent_job_is_shown_as_stalled_at_every_door(jobs: JobStore, running: Job) -> None:
    assert running.state is JobState.RUNNING
    jobs.heartbeat("j", 0.5, "batch 3", timing=StepTiming(119.0, 130.0, 13.0))
    assert jobs.get("j").state is JobState.RUNNING
    jobs.heartbeat("j", 0.5, "batch 3", 60.0, StepTiming(131.0, 130.0, 13.0))
    job = jobs.get("j")
    assert job.state is JobState.STALLED and job.state.active
    assert job.left_at(datetime.now(UTC)) is None, "nobody knows"
    assert [each.id for each in jobs.list(states=[JobState.STALLED])] == ["j"]
    assert [each.id for each in jobs.list(states=ACTIVE_STATES, limit=1)] == ["j"]
    assert jobs.list(states=[JobState.RUNNING]) == []
    jobs.heartbeat("j", 0.6, "batch 4", timing=StepTiming(0.1, 130.0, 13.0))
    assert jobs.get("j").state is JobState.RUNNING
    assert jobs.list(states=[JobState.STALLED]) == []


def test_time_goes_on_where_the_heartbeat_does_not(jobs: JobStore, running: Job) -> None:
    jobs.heartbeat("j", 0.5, "batch 3", timing=StepTiming(1.0, 130.0, 13.0))
    job = jobs.get("j")
    assert job.heartbeat_at is not None
    assert not job.stalled_at(job.heartbeat_at + timedelta(seconds=128))
    assert job.stalled_at(job.heartbeat_at + timedelta(seconds=130))
    ended = replace(job, state=JobState.SUCCEEDED)
    assert not ended.stalled_at(job.heartbeat_at + timedelta(days=1))


def test_a_job_that_is_queued_again_is_silent_no_longer(jobs: JobStore, running: Job) -> None:
    jobs.heartbeat("j", 0.5, "batch 3", timing=StepTiming(131.0, 130.0, 13.0))
    assert jobs.record_stall("j").stalls == 1
    assert jobs.heartbeat("j", 0.5, "batch 3"), "it is to stop"
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
    assert jobs.resume("j").stalls == 0, "who resumes it by hand begins to count anew"


def test_the_heartbeat_carries_the_silence(
    jobs: JobStore, running: Job, quick: Settings, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERSCOPE_JOB", "j")
    patient = quick.model_copy(update={"stalled_after_s": 0.3, "heartbeat_s": 0.05})
    with ProgressReporter.from_environment(patient) as reporter:
        for number in range(5):
            reporter(0.5, StepMessage(f"batch {number}", "batch"))
        until(lambda: jobs.get("j").state is JobState.STALLED)
        assert jobs.get("j").message == "batch 4"
        reporter(0.5, StepMessage("batch 5", "batch"))
        until(lambda: jobs.get("j").state is JobState.RUNNING)
        reporter(0.9, "Judging")
        until(lambda: jobs.get("j").stalled_after_s is None)


def test_what_is_wrong_and_what_to_do_are_a_sentence_each(jobs: JobStore, running: Job, quick: Settings) -> None:
    jobs.heartbeat("j", 0.5, "batch 3", timing=StepTiming(300.0, 120.0, 0.4))
    job = jobs.get("j")
    assert job.heartbeat_at is not None
    assert describe_stall(job, job.heartbeat_at) == "No batch has finished for 5 minutes; one usually takes 0.4 s."
    assert stall_remedy(job, quick) == "Its process is stopped and the job resumes from its last finished epoch."
    again = replace(job, stalls=1)
    assert stall_remedy(again, quick) == "It has stalled before, so its process is stopped and the job fails."
    by_hand = quick.model_copy(update={"resume_stalled": False})
    assert stall_remedy(job, by_hand) == "Cancel the job, then resume it from its last finished epoch."


@pytest.fixture
def hasty(jobs: JobStore, quick: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A tenth of a second counts as stalled; here, and in the processes of jobs."""
    monkeypatch.setenv("FERSCOPE_STALLED_AFTER_S", "0.3")
    return quick.model_copy(update={"stalled_after_s": 0.3})


@pytest.fixture
def supervised(jobs: JobStore, hasty: Settings, cli: tuple[str, ...]) -> Iterator[Callable[[Settings], Supervisor]]:
    """Makes a supervisor in this process, driven step by step; afterwards its jobs are gone."""
    made: list[Supervisor] = []

    def make(settings: Settings) -> Supervisor:
        made.append(Supervisor(settings, cli).__enter__())
        return made[-1]

    yield make
    for supervisor in made:
        for process in supervisor._processes.values():
            process.kill()
            assert process._child is not None
            process._child.wait()
        supervisor.__exit__()


def test_a_hung_job_is_ended_and_resumed_once(
    jobs: JobStore,
    hasty: Settings,
    supervised: Callable[[Settings], Supervisor],
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    supervisor = supervised(hasty)
    notes = tmp_path / "attempts"
    job = jobs.submit(JobKind.TRAIN, "t", ("hang", "1", str(notes)), "r", resume_args=("--resume",))
    until(lambda: jobs.get(job.id).state is JobState.STALLED, between=supervisor.poll)
    until(lambda: jobs.get(job.id).state.ended, between=supervisor.poll)
    job = jobs.get(job.id)
    assert (job.state, job.attempts, job.stalls, job.error) == (JobState.SUCCEEDED, 2, 1, "")
    assert [line.split()[-1] for line in notes.read_text().splitlines()] == [str(notes), "--resume"]
    assert "No batch has finished for" in jobs.log_path(job).read_text()


def test_a_second_stall_fails_it_with_what_to_do(
    jobs: JobStore,
    hasty: Settings,
    supervised: Callable[[Settings], Supervisor],
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    supervisor = supervised(hasty)
    job = jobs.submit(JobKind.TRAIN, "t", ("hang", "9", str(tmp_path / "attempts")), "r", resume_args=("--resume",))
    until(lambda: jobs.get(job.id).state.ended, between=supervisor.poll)
    job = jobs.get(job.id)
    assert (job.state, job.attempts, job.stalls, job.exit_code) == (JobState.FAILED, 2, 2, -signal.SIGKILL)
    assert "stalled twice" in job.error and "batch 20 of 20" in job.error and "resume" in job.error
    assert supervisor._processes == {}


def test_where_the_settings_do_not_allow_it_nothing_is_ended(
    jobs: JobStore,
    hasty: Settings,
    supervised: Callable[[Settings], Supervisor],
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    supervisor = supervised(hasty.model_copy(update={"resume_stalled": False}))
    job = jobs.submit(JobKind.TRAIN, "t", ("hang", "9", str(tmp_path / "attempts")), "r")
    until(lambda: jobs.get(job.id).state is JobState.STALLED, between=supervisor.poll)
    looks = iter(range(60))
    until(lambda: next(looks, None) is None, between=supervisor.poll)
    assert jobs.get(job.id).state is JobState.STALLED and jobs.get(job.id).stalls == 0
    jobs.request_cancel(job.id)
    until(lambda: jobs.get(job.id).state is JobState.CANCELLED, between=supervisor.poll)


def test_a_supervisor_that_is_replaced_midway_resumes_it_all_the_same(
    jobs: JobStore, running: Job, hasty: Settings, supervised: Callable[[Settings], Supervisor]
) -> None:
    jobs.record_stall("j")  # by one that was killed, with the job's process, before it saw the end
    supervised(hasty.model_copy(update={"jobs_at_once": 1})).poll()
    job = jobs.get("j")
    assert job.attempts == 2 and job.stalls == 1, "queued, and started at once"


def test_an_old_record_alone_ends_nothing(
    jobs: JobStore,
    hasty: Settings,
    supervised: Callable[[Settings], Supervisor],
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    """As after the machine has slept: the record is hours old, until the next heartbeat."""
    supervisor = supervised(hasty.model_copy(update={"heartbeat_s": 60.0}))
    job = jobs.submit(JobKind.TRAIN, "t", ("wait", str(tmp_path / "go")), "r")
    until(lambda: jobs.get(job.id).message == "waiting", between=supervisor.poll)
    for _ in range(3):
        jobs.heartbeat(job.id, 0.5, "waiting", timing=StepTiming(9999.0, 1.0, 0.1))
        supervisor.poll()
        assert jobs.get(job.id).stalls == 0
    process = supervisor._processes[job.id]
    assert process.stop_requested_for_s is None and is_alive(process._process)
    (tmp_path / "go").touch()
    until(lambda: jobs.get(job.id).state is JobState.SUCCEEDED, between=supervisor.poll)


def test_a_watch_may_be_looked_at_while_steps_are_noted() -> None:
    watch, leaving = StepTimer(LEAST_S), threading.Event()

    def look() -> None:
        while not leaving.is_set():
            watch.timing(1.0)

    looker = threading.Thread(target=look)
    looker.start()
    steps(watch, 5000, 0.001)
    leaving.set()
    looker.join()
    timing = watch.timing(5.0)
    assert timing is not None and timing.usual_step_s == pytest.approx(0.001)


def test_a_step_is_a_message_as_any_other() -> None:
    step = StepMessage("batch 3", "batch")
    assert step == "batch 3" and json.dumps(step) == '"batch 3"' and type(str(step)) is str
