"""Deleting a job together with what its process left behind."""

from __future__ import annotations

from fer_core.errors import JobError
from fer_core.jobs.job import ACTIVE_STATES, Job
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import delete_run, open_run
from fer_core.settings import Settings


def run_of(job: Job, settings: Settings) -> str:
    """The id of the run folder that a job works on, "" if there is none."""
    return job.target if job.kind == "train" and (settings.runs_dir / job.target).is_dir() else ""


def delete_job(job_id: str, store: JobStore, settings: Settings, *, keep_run: bool = False) -> str:
    """Forget a job that has ended, with its log and, unless another job works on it too, its run.

    Returns:
        the id of the run that was deleted, or "".
    Raises:
        JobError: the job is queued or running, or there is none.
    """
    job = store.get(job_id)
    store.delete(job_id)  # first: a job that was queued again meanwhile refuses, and keeps its run
    run = run_of(job, settings)
    if not run or keep_run or store.list(kind="train", target=run, limit=1):
        return ""
    delete_run(run, settings)
    return run


def active_jobs_by_run(store: JobStore) -> dict[str, Job]:
    """The training that waits or runs, by the id of the run that it works on."""
    return {job.target: job for job in store.list(kind="train", states=ACTIVE_STATES, limit=None)}


def delete_run_with_jobs(run_id: str, store: JobStore, settings: Settings) -> list[str]:
    """Remove a run folder, and forget the ended jobs that worked on it with their logs.

    Returns:
        the ids of those jobs.
    Raises:
        RunError: there is no such run.
        JobError: a job is queued or running on it.
    """
    open_run(run_id, settings)
    jobs = store.list(kind="train", target=run_id, limit=None)
    if active := [job for job in jobs if job.state.active]:
        raise JobError(
            f"The run {run_id} can't be deleted: its job {active[0].id} is {active[0].state}. Cancel the job first."
        )
    for job in jobs:
        store.delete(job.id)  # first: one that was queued again meanwhile refuses, and keeps its run
    delete_run(run_id, settings)
    return [job.id for job in jobs]
