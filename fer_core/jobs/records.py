"""Read and update job records in the database.

Each change of state is one UPDATE that names the allowed previous states, so that exactly one of several concurrent
processes succeeds, on any database.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NoReturn, Self

from sqlalchemy import Row, select, update

from fer_core.errors import JobError
from fer_core.files.migration import rename_job_kind, stored_job_kinds
from fer_core.jobs.database import JOBS, JobDatabase
from fer_core.jobs.job import Job, JobKind, JobState
from fer_core.settings import Settings

BUSY_TIMEOUT_S = 10.0
QUEUE_ORDER = (JOBS.c.priority.desc(), JOBS.c.created_at, JOBS.c.id)
"""Highest priority first, then oldest first."""


class JobRecords:
    """The job records of one store. Thread-safe.

    Every method raises JobError when the database can't be reached.
    """

    def __init__(self, settings: Settings, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._settings = settings
        self._database = JobDatabase(settings, busy_timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.dispose()

    def dispose(self) -> None:
        """Close the connections to the database."""
        self._database.dispose()

    def get(self, job_id: str) -> Job:
        """Get a job by id.

        Raises:
            JobError: there is no such job.
        """
        with self._database.transaction() as connection:
            row = connection.execute(select(JOBS).where(JOBS.c.id == job_id)).one_or_none()
        if row is None:
            raise JobError(f"There is no job {job_id!r}. `python -m fer_core jobs list` lists all jobs.")
        return job_from_row(row)

    def list(
        self,
        kind: JobKind | None = None,
        target: str | None = None,
        states: Iterable[JobState] | None = None,
        limit: int | None = 200,
    ) -> list[Job]:
        """List jobs, newest first; `limit` None lists all."""
        query = select(JOBS).order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc())
        if kind is not None:
            query = query.where(JOBS.c.kind.in_(stored_job_kinds(kind)))
        if target is not None:
            query = query.where(JOBS.c.target == target)
        selected = frozenset(JobState if states is None else states)
        if states is None:
            query = query.limit(limit)
        else:  # a stalled job is stored as running
            stored = selected | {JobState.RUNNING} if JobState.STALLED in selected else selected
            query = query.where(JOBS.c.state.in_([state.value for state in stored]))
        with self._database.transaction() as connection:
            jobs = map(job_from_row, connection.execute(query))
            return list(islice((job for job in jobs if job.state in selected), limit))

    def queued(self) -> builtins.list[Job]:
        """List the queued jobs in the order in which they will start on their device."""
        query = select(JOBS).where(JOBS.c.state == JobState.QUEUED.value).order_by(*QUEUE_ORDER)
        with self._database.transaction() as connection:
            return [job_from_row(row) for row in connection.execute(query)]

    def _update(self, job_id: str, from_states: tuple[JobState, ...], **values: Any) -> Job | None:
        """Set `values` if the job is in one of `from_states`; returns the updated job, or None."""
        allowed = JOBS.c.state.in_([state.value for state in from_states])
        statement = update(JOBS).where(JOBS.c.id == job_id, allowed).values(values).returning(JOBS)
        with self._database.transaction() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else job_from_row(row)

    def _raise_conflict(self, job_id: str, what: str) -> NoReturn:
        """Raise a JobError that says why the job's state does not allow a change."""
        state = self.get(job_id).state
        remedy = {
            JobState.QUEUED: "Wait for it to start, or cancel it.",
            JobState.RUNNING: "Wait for it to end, or cancel it.",
            JobState.STALLED: "Cancel it first.",
            JobState.SUCCEEDED: "Submit a new job to do it again.",
        }.get(state, "Resume it, retry it from the start, or delete it.")
        raise JobError(f"Job {job_id!r} {what}: it is {state}. {remedy}")


def job_from_row(row: Row[Any]) -> Job:
    """Convert a row of the jobs table; a running job whose step takes too long is stalled."""
    values = dict(zip(JOBS.columns.keys(), row, strict=True))
    for name in ("args", "resume_args"):
        values[name] = tuple(values[name])
    values["kind"] = JobKind(rename_job_kind(values["kind"]))
    values["state"] = JobState(values["state"])
    job = Job(**values)
    return replace(job, state=JobState.STALLED) if job.stalled_at(utc_now()) else job


def utc_now() -> datetime:
    """The current time, timezone-aware."""
    return datetime.now(UTC)
