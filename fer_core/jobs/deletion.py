"""Deleting jobs with what their processes left behind, and what jobs work on: never from under one of them."""

from __future__ import annotations

from fer_core.errors import ConfigError, JobError
from fer_core.jobs.job import ACTIVE_STATES, Job, JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import Run, RunState, delete_run, open_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import read_yaml


def run_id_of(job: Job, settings: Settings) -> str:
    """The id of the run folder that a job works on, "" if there is none."""
    return job.target if job.kind is JobKind.TRAIN and (settings.runs_dir / job.target).is_dir() else ""


def delete_job(job_id: str, store: JobStore, settings: Settings, *, keep_run: bool = False) -> str:
    """Forget a job that has ended, with its log and, unless another job works on it too, its run.

    Returns:
        the id of the run that was deleted, or "".
    Raises:
        JobError: the job is queued or running, or there is none.
    """
    job = store.get(job_id)
    store.delete(job_id)  # first: a job that was queued again meanwhile refuses, and keeps its run
    run = run_id_of(job, settings)
    if not run or keep_run or store.list(kind=JobKind.TRAIN, target=run, limit=1):
        return ""
    delete_run(run, settings)
    return run


def active_jobs_by_run(store: JobStore) -> dict[str, Job]:
    """The training that waits or runs, by the id of the run that it works on."""
    return {job.target: job for job in store.list(kind=JobKind.TRAIN, states=ACTIVE_STATES, limit=None)}


def assert_dataset_unused(dataset_id: str, store: JobStore, settings: Settings) -> None:
    """See that no job waits for a dataset, reads it or is to go on with it, before it is deleted.

    Raises:
        JobError: a job does.
    """
    for job in store.list(states=(*ACTIVE_STATES, JobState.INTERRUPTED), limit=None):
        if _dataset_of(job, settings) == dataset_id:
            remedy = "Cancel the job first" if job.state.active else "Resume the job to its end first, or delete it"
            raise JobError(
                f"The dataset {dataset_id} can't be deleted: the job {job.id} ({job.title}), which is {job.state}, "
                f"needs it. {remedy}."
            )


def _dataset_of(job: Job, settings: Settings) -> str:
    """The id of the dataset that a job still needs, "" where it needs none."""
    if job.kind is not JobKind.TRAIN:
        return job.target
    run = Run(settings.runs_dir / job.target)
    if run.state is not RunState.UNFINISHED:
        return ""
    try:
        config = read_yaml(run.path("config.yaml"))
    except ConfigError:
        return ""
    return str(config.get("dataset", "")) if isinstance(config, dict) else ""


def delete_run_with_jobs(run_id: str, store: JobStore, settings: Settings) -> list[str]:
    """Remove a run folder, and forget the ended jobs that worked on it with their logs.

    Returns:
        the ids of those jobs.
    Raises:
        RunError: there is no such run.
        JobError: a job is queued or running on it.
    """
    open_run(run_id, settings)
    jobs = store.list(kind=JobKind.TRAIN, target=run_id, limit=None)
    if active := [job for job in jobs if job.state.active]:
        raise JobError(
            f"The run {run_id} can't be deleted: its job {active[0].id} is {active[0].state}. Cancel the job first."
        )
    for job in jobs:
        store.delete(job.id)  # first: one that was queued again meanwhile refuses, and keeps its run
    delete_run(run_id, settings)
    return [job.id for job in jobs]
