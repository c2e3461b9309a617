"""Deleting runs, datasets and jobs: what is being worked on stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fer_core.errors import JobError, RunError
from fer_core.jobs.deletion import active_jobs_by_run, assert_dataset_unused, delete_job, delete_run_with_jobs
from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.stall import StepTiming
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import Run, create_run
from fer_core.settings import Settings


@pytest.fixture
def jobs(store: Settings) -> Iterator[JobStore]:
    """A store with two runs: `old` had two jobs, `new` none yet."""
    create_run("old", "", store)
    create_run("new", "", store)
    with JobStore(store) as jobs:
        for name, state in (("first", JobState.FAILED), ("second", JobState.SUCCEEDED)):
            jobs.submit(JobKind.TRAIN, name, (), "old", job_id=name)
            jobs.claim_next()
            jobs.finish(name, state, 0, "")
        yield jobs


def test_a_run_is_deleted_with_its_jobs(jobs: JobStore, store: Settings) -> None:
    jobs.submit(JobKind.TRAIN, "another", (), "new", job_id="another")
    assert sorted(delete_run_with_jobs("old", jobs, store)) == ["first", "second"]
    assert not (store.runs_dir / "old").exists()
    assert [job.id for job in jobs.list()] == ["another"]


@pytest.mark.parametrize("start", [False, True])
def test_a_run_with_an_active_job_is_not_deleted(jobs: JobStore, store: Settings, start: bool) -> None:
    jobs.submit(JobKind.TRAIN, "again", (), "old", job_id="again")
    if start:
        jobs.claim_next()
    assert {run: job.id for run, job in active_jobs_by_run(jobs).items()} == {"old": "again"}
    with pytest.raises(JobError, match=f"its job again is {'running' if start else 'queued'}. Cancel the job first"):
        delete_run_with_jobs("old", jobs, store)
    assert (store.runs_dir / "old" / "config.yaml").is_file()
    assert len(jobs.list()) == 3


def test_a_run_without_jobs_is_deleted(jobs: JobStore, store: Settings) -> None:
    assert delete_run_with_jobs("new", jobs, store) == []
    with pytest.raises(RunError, match="no run 'new'"):
        delete_run_with_jobs("new", jobs, store)


def test_a_job_of_another_kind_with_the_same_target_is_kept(jobs: JobStore, store: Settings) -> None:
    jobs.submit(JobKind.IMPORT, "a dataset", (), "old", job_id="import")
    assert active_jobs_by_run(jobs) == {}
    delete_run_with_jobs("old", jobs, store)
    assert [job.id for job in jobs.list()] == ["import"]


def _train_on(dataset: str, jobs: JobStore, store: Settings) -> Run:
    run = create_run("on-it", f"dataset: {dataset}\n", store)
    jobs.submit(JobKind.TRAIN, "Faces again", (), run.id, job_id="needing")
    return run


@pytest.mark.parametrize(
    ("state", "hint"),
    [
        (JobState.QUEUED, "Cancel the job first"),
        (JobState.RUNNING, "Cancel the job first"),
        (JobState.STALLED, "Cancel the job first"),
        (JobState.INTERRUPTED, "Resume the job to its end first, or delete it"),
    ],
)
def test_a_dataset_that_a_job_needs_is_not_deleted(state: JobState, hint: str, jobs: JobStore, store: Settings) -> None:
    run = _train_on("faces", jobs, store)
    if state is not JobState.QUEUED:
        jobs.claim_next()
        jobs.heartbeat("needing", 0.5, "", timing=StepTiming(9.0 if state is JobState.STALLED else 0.0, 8.0, 0.1))
    if state is JobState.INTERRUPTED:
        jobs.finish("needing", state, -9, "")
    with pytest.raises(JobError, match=rf"needing \(Faces again\), which is {state}, needs it\. {hint}"):
        assert_dataset_unused("faces", jobs, store)
    if state is JobState.INTERRUPTED:
        delete_job("needing", jobs, store)
        assert not run.folder.exists()
    else:
        jobs.request_cancel("needing")
        if state is not JobState.QUEUED:
            jobs.finish("needing", JobState.CANCELLED, 75, "")
    assert_dataset_unused("faces", jobs, store)


@pytest.mark.parametrize("kind", [JobKind.IMPORT, JobKind.QUALITY, JobKind.GENERATE])
def test_a_dataset_that_is_imported_or_searched_is_not_deleted(kind: JobKind, jobs: JobStore, store: Settings) -> None:
    jobs.submit(kind, "t", (), "other")
    jobs.submit(kind, "t", (), "faces", job_id="on-it")
    with pytest.raises(JobError, match="on-it"):
        assert_dataset_unused("faces", jobs, store)


@pytest.mark.parametrize("config", ["dataset: other\n", "", "[", "- dataset: faces\n"])
def test_jobs_on_other_datasets_do_not_block_deletion(config: str, jobs: JobStore, store: Settings) -> None:
    create_run("elsewhere", config, store)
    jobs.submit(JobKind.TRAIN, "t", (), "elsewhere")
    jobs.submit(JobKind.TRAIN, "t", (), "a-run-that-is-gone")
    assert_dataset_unused("faces", jobs, store)
