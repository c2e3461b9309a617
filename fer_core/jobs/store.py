"""The record of all jobs: who asked for what, how far it is, and how it ended.

Every change of state is one UPDATE that names the states it may start from, so that of several processes
that try the same change exactly one makes it, on any database.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, Self

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from fer_core.errors import JobError
from fer_core.files.migration import rename_job_kind, stored_job_kinds
from fer_core.ids import check_id, new_id
from fer_core.jobs.database import JobDatabase
from fer_core.jobs.devices import CPU
from fer_core.jobs.job import ENDED_STATES, RESUMABLE_STATES, Job, JobKind, JobState, check_priority
from fer_core.jobs.log import log_path
from fer_core.jobs.schema import JOBS
from fer_core.jobs.stall import StepTiming
from fer_core.settings import Settings

__all__ = ["Job", "JobState", "JobStore"]

BUSY_TIMEOUT_S = 10.0
_QUEUE = (JOBS.c.priority.desc(), JOBS.c.created_at, JOBS.c.id)
"""The order of waiting jobs: the urgent first, among equals the oldest."""
_UNKNOWN_PACE: dict[str, Any] = dict.fromkeys(("left_s", "step_elapsed_s", "stalled_after_s", "usual_step_s"))
_AFRESH: dict[str, Any] = {
    "state": JobState.QUEUED.value,
    "cancel_requested": False,
    "stall_recorded": False,
    "progress_01": 0.0,
    "message": "",
    "error": "",
    **dict.fromkeys(("started_at", "ended_at", "heartbeat_at", "pid", "pid_started_at", "exit_code")),
    **_UNKNOWN_PACE,
}
"""What a job that is queued again no longer says of its last attempt."""


class JobStore:
    """The jobs of one store. May be shared between threads; make it once a process and dispose of it.

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

    def log_path(self, job: Job) -> Path:
        """Where the output of the job's process goes."""
        return log_path(self._settings, job)

    def submit(
        self,
        kind: JobKind,
        title: str,
        args: Sequence[str],
        target: str,
        *,
        resume_args: Sequence[str] = (),
        priority: int = 0,
        device: str = CPU,
        job_id: str | None = None,
    ) -> Job:
        """Queue the command `python -m fer_core ARGS`. Call `ensure_supervisor` next, or nobody starts it.

        Args:
            target: the id of the run or dataset that the job works on.
            resume_args: added to `args` from the second attempt on, such as `("--resume",)`; the command must
                bear them even when the first attempt ended before it had done anything.
            priority: higher goes first; among equals the oldest does.
            device: where it runs, as `devices.pick_training_device` says; each device has a limit of its own.
            job_id: the new job's id; made from `kind` when not given.
        Raises:
            JobError: the id is taken.
            InputError: the id can't be one.
        """
        row: dict[str, Any] = {
            "id": new_id(kind) if job_id is None else check_id(job_id, "job"),
            "kind": kind.value,
            "title": title,
            "args": list(args),
            "resume_args": list(resume_args),
            "target": target,
            "state": JobState.QUEUED.value,
            "priority": check_priority(priority),
            "device": device,
            "created_at": _now(),
            "progress_01": 0.0,
            "message": "",
            "error": "",
            "cancel_requested": False,
            "attempts": 0,
            "from_start": False,
            "stalls": 0,
            "stall_recorded": False,
        }
        try:
            with self._database.transaction() as connection:
                added = connection.execute(insert(JOBS).values(row).returning(JOBS)).one()
                return _job(added)
        except IntegrityError as exc:
            raise JobError(f"There is already a job {row['id']!r}. Give another id, or none.") from exc

    def get(self, job_id: str) -> Job:
        """The job with this id.

        Raises:
            JobError: there is none.
        """
        with self._database.transaction() as connection:
            row = connection.execute(select(JOBS).where(JOBS.c.id == job_id)).one_or_none()
        if row is None:
            raise JobError(f"There is no job {job_id!r}. `python -m fer_core jobs list` shows those there are.")
        return _job(row)

    def list(
        self,
        kind: JobKind | None = None,
        target: str | None = None,
        states: Iterable[JobState] | None = None,
        limit: int | None = 200,
    ) -> list[Job]:
        """The jobs that fit, newest first; `limit` None gives all."""
        query = select(JOBS).order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc())
        if kind is not None:
            query = query.where(JOBS.c.kind.in_(stored_job_kinds(kind)))
        if target is not None:
            query = query.where(JOBS.c.target == target)
        wanted = frozenset(JobState if states is None else states)
        if states is None:
            query = query.limit(limit)
        else:  # a stalled job is recorded as running
            recorded = wanted | {JobState.RUNNING} if JobState.STALLED in wanted else wanted
            query = query.where(JOBS.c.state.in_([state.value for state in recorded]))
        with self._database.transaction() as connection:
            jobs = map(_job, connection.execute(query))
            return list(islice((job for job in jobs if job.state in wanted), limit))

    def waiting(self) -> builtins.list[Job]:
        """The queued jobs, in the order in which they will start on their device."""
        query = select(JOBS).where(JOBS.c.state == JobState.QUEUED.value).order_by(*_QUEUE)
        with self._database.transaction() as connection:
            return [_job(row) for row in connection.execute(query)]

    def claim_next(self, full: Iterable[str] = ()) -> Job | None:
        """Make the next queued job a running one and return it; None when none waits but for the `full` devices.

        Each job goes to exactly one caller, however many processes call at once.
        """
        first = select(JOBS.c.id).where(JOBS.c.state == JobState.QUEUED.value, JOBS.c.device.not_in(tuple(full)))
        first = first.order_by(*_QUEUE).limit(1)
        while True:
            with self._database.transaction() as connection:
                job_id = connection.execute(first).scalar_one_or_none()
            if job_id is None:
                return None
            claimed = self._change(
                job_id,
                (JobState.QUEUED,),
                state=JobState.RUNNING.value,
                started_at=_now(),
                heartbeat_at=_now(),
                **_UNKNOWN_PACE,
                attempts=JOBS.c.attempts + 1,
            )
            if claimed is not None:
                return claimed

    def started(self, job_id: str, pid: int, pid_started_at: float) -> Job:
        """Record the process of a job that was claimed; `pid_started_at` in seconds since the epoch.

        Raises:
            JobError: the job is not running.
        """
        changed = self._change(job_id, (JobState.RUNNING,), pid=pid, pid_started_at=pid_started_at, heartbeat_at=_now())
        return changed or self._refuse(job_id, "can't be given a process")

    def heartbeat(
        self,
        job_id: str,
        progress_01: float,
        message: str,
        left_s: float | None = None,
        timing: StepTiming | None = None,
    ) -> bool:
        """Record a sign of life; whether the job is to stop: it was asked to, or no longer counts as running."""
        changed = self._change(
            job_id,
            (JobState.RUNNING,),
            heartbeat_at=_now(),
            progress_01=min(1.0, max(0.0, progress_01)),
            message=message,
            **_UNKNOWN_PACE | ({} if timing is None else asdict(timing)) | {"left_s": left_s},
        )
        return changed is None or changed.cancel_requested or changed.stall_recorded

    def record_end(self, job_id: str, exit_code: int, error: str) -> bool:
        """Record what a job's own process says of its end, before it ends; whether the job still ran.

        The state stays `running` until the supervisor sees that the process is gone.
        """
        return self._change(job_id, (JobState.RUNNING,), exit_code=exit_code, error=error) is not None

    def finish(self, job_id: str, state: JobState, exit_code: int | None, error: str) -> Job:
        """End a running job; `error` is one line for a person, or empty.

        Raises:
            JobError: the job is not running, or `state` is not one to end in.
        """
        if not state.ended:
            raise JobError(f"A job can't end as {state}. Choose one of: {', '.join(ENDED_STATES)}.")
        values: dict[str, Any] = {"state": state.value, "exit_code": exit_code, "error": error, "ended_at": _now()}
        if state is JobState.SUCCEEDED:
            values["progress_01"] = 1.0
        return self._change(job_id, (JobState.RUNNING,), **values) or self._refuse(job_id, "can't be finished")

    def request_cancel(self, job_id: str) -> Job:
        """Cancel a queued job at once, or ask a running one to stop.

        A running job whose supervisor is gone needs `ensure_supervisor` to be stopped.

        Raises:
            JobError: the job has ended, or there is none.
        """
        cancelled = self._change(
            job_id, (JobState.QUEUED,), state=JobState.CANCELLED.value, cancel_requested=True, ended_at=_now()
        )
        asked = cancelled or self._change(job_id, (JobState.RUNNING,), cancel_requested=True)
        return asked or self._refuse(job_id, "can't be cancelled")

    def record_stall(self, job_id: str) -> Job:
        """Record that a job's process is to be ended because it stalled.

        Raises:
            JobError: the job is not running.
        """
        noted = self._change(job_id, (JobState.RUNNING,), stall_recorded=True, stalls=JOBS.c.stalls + 1)
        return noted or self._refuse(job_id, "has not stalled")

    def resume_stalled(self, job_id: str) -> Job:
        """Queue a job again whose process was ended because it stalled, to go on from what is done.

        Raises:
            JobError: the job is not running.
        """
        queued = self._change(job_id, (JobState.RUNNING,), from_start=False, **_AFRESH)
        return queued or self._refuse(job_id, "can't be resumed")

    def set_priority(self, job_id: str, priority: int) -> Job:
        """Let a waiting job start sooner or later; higher goes first.

        Raises:
            JobError: the job does not wait, or there is none.
            InputError: the priority is out of bounds.
        """
        changed = self._change(job_id, (JobState.QUEUED,), priority=check_priority(priority))
        return changed or self._refuse(job_id, "no longer waits")

    def resume(self, job_id: str) -> Job:
        """Queue a failed, cancelled or interrupted job again, to go on from what is done.

        Call `ensure_supervisor` next.

        Raises:
            JobError: the job is in another state, or there is none.
        """
        return self._queue_again(job_id, from_start=False) or self._refuse(job_id, "can't be resumed")

    def retry(self, job_id: str) -> Job:
        """Queue a failed, cancelled or interrupted job again, from the start. Call `ensure_supervisor` next.

        Raises:
            JobError: the job is in another state, or there is none.
        """
        return self._queue_again(job_id, from_start=True) or self._refuse(job_id, "can't be done again")

    def _queue_again(self, job_id: str, *, from_start: bool) -> Job | None:
        return self._change(job_id, RESUMABLE_STATES, from_start=from_start, stalls=0, **_AFRESH)

    def delete(self, job_id: str) -> None:
        """Forget a job that has ended, and its log.

        Raises:
            JobError: the job is queued or running, or there is none.
        """
        job = self.get(job_id)
        ended = JOBS.c.state.in_([state.value for state in ENDED_STATES])
        with self._database.transaction() as connection:
            gone = connection.execute(delete(JOBS).where(JOBS.c.id == job_id, ended)).rowcount
        if not gone:
            self._refuse(job_id, "can't be deleted")
        self.log_path(job).unlink(missing_ok=True)

    def _change(self, job_id: str, from_states: tuple[JobState, ...], **values: Any) -> Job | None:
        """Set `values` if the job is in one of `from_states`; the job as it then is, or None."""
        fits = JOBS.c.state.in_([state.value for state in from_states])
        change = update(JOBS).where(JOBS.c.id == job_id, fits).values(values).returning(JOBS)
        with self._database.transaction() as connection:
            row = connection.execute(change).one_or_none()
        return None if row is None else _job(row)

    def _refuse(self, job_id: str, what: str) -> NoReturn:
        """Raise the JobError that says why a job can't be changed like that."""
        state = self.get(job_id).state
        remedy = {
            JobState.QUEUED: "Wait for it to start, or cancel it.",
            JobState.RUNNING: "Wait for it to end, or cancel it.",
            JobState.STALLED: "Cancel it first.",
            JobState.SUCCEEDED: "It is done; submit a new job to do it again.",
        }.get(state, "Resume it to go on with it, retry it from the start, or delete it.")
        raise JobError(f"Job {job_id!r} {what}: it is {state}. {remedy}")


def _job(row: Row[Any]) -> Job:
    values = dict(zip(JOBS.columns.keys(), row, strict=True))
    for name in ("args", "resume_args"):
        values[name] = tuple(values[name])
    values["kind"] = JobKind(rename_job_kind(values["kind"]))
    values["state"] = JobState(values["state"])
    job = Job(**values)
    return replace(job, state=JobState.STALLED) if job.stalled_at(_now()) else job


def _now() -> datetime:
    return datetime.now(UTC)
