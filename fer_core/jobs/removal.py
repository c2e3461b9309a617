"""Deleting a job together with what its process left behind."""

from __future__ import annotations

from fer_core.jobs.job import Job
from fer_core.jobs.store import JobStore
from fer_core.runs import delete_run
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
