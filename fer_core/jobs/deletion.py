"""Delete jobs, runs and datasets, but never those that a job still needs."""

from __future__ import annotations

from fer_core.errors import ConfigError, JobError
from fer_core.jobs.job import ACTIVE_STATES, Job, JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import Run, RunState, delete_run, open_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import read_yaml


def run_id_of(job: Job, settings: Settings) -> str:
    """The id of the job's run folder, "" if it has none."""
    return job.target if job.kind is JobKind.TRAIN and (settings.runs_dir / job.target).is_dir() else ""


def delete_job(job_id: str, store: JobStore, settings: Settings, *, keep_run: bool = False) -> str:
    """Delete an ended job with its log and, unless another job uses it, its run.

    Returns:
        the id of the deleted run, or "".
    Raises:
        JobError: the job is queued or running, or there is no such job.
    """
    job = store.get(job_id)
    store.delete(job_id)  # first: this fails if the job was queued again meanwhile, and the run is kept
    run = run_id_of(job, settings)
    if not run or keep_run or store.list(kind=JobKind.TRAIN, target=run, limit=1):
        return ""
    delete_run(run, settings)
    return run


def active_jobs_by_run(store: JobStore) -> dict[str, Job]:
    """Queued and running trainings by the id of their run."""
    return {job.target: job for job in store.list(kind=JobKind.TRAIN, states=ACTIVE_STATES, limit=None)}


def assert_dataset_unused(dataset_id: str, store: JobStore, settings: Settings) -> None:
    """Check that no queued, running or interrupted job needs a dataset.

    Raises:
        JobError: a job needs it.
    """
    for job in store.list(states=(*ACTIVE_STATES, JobState.INTERRUPTED), limit=None):
        if _dataset_of(job, settings) == dataset_id:
            remedy = "Cancel the job first" if job.state.active else "Resume the job to its end first, or delete it"
            raise JobError(
                f"The dataset {dataset_id} can't be deleted: the job {job.id} ({job.title}), which is {job.state}, "
                f"needs it. {remedy}."
            )


def _dataset_of(job: Job, settings: Settings) -> str:
    """The id of the dataset that a job needs, "" if it needs none."""
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
    """Delete a run folder with its ended jobs and their logs.

    Returns:
        the ids of the deleted jobs.
    Raises:
        RunError: there is no such run.
        JobError: one of its jobs is queued or running.
    """
    open_run(run_id, settings)
    jobs = store.list(kind=JobKind.TRAIN, target=run_id, limit=None)
    if active := [job for job in jobs if job.state.active]:
        raise JobError(
            f"The run {run_id} can't be deleted: its job {active[0].id} is {active[0].state}. Cancel the job first."
        )
    for job in jobs:
        store.delete(job.id)  # first: this fails if the job was queued again meanwhile, and the run is kept
    delete_run(run_id, settings)
    return [job.id for job in jobs]
