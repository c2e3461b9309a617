"""The job store: submit jobs and change their state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from fer_core.errors import JobError
from fer_core.ids import check_id, new_id
from fer_core.jobs.database import JOBS
from fer_core.jobs.devices import CPU
from fer_core.jobs.job import ENDED_STATES, RESUMABLE_STATES, Job, JobKind, JobState, check_priority
from fer_core.jobs.log import log_path
from fer_core.jobs.records import QUEUE_ORDER, JobRecords, job_from_row, utc_now
from fer_core.jobs.stall import StepTiming

_NO_TIMING: dict[str, Any] = dict.fromkeys(("left_s", "step_elapsed_s", "stalled_after_s", "usual_step_s"))
_RESET_VALUES: dict[str, Any] = {
    "state": JobState.QUEUED.value,
    "cancel_requested": False,
    "stall_recorded": False,
    "progress_01": 0.0,
    "message": "",
    "error": "",
    **dict.fromkeys(("started_at", "ended_at", "heartbeat_at", "pid", "pid_started_at", "exit_code")),
    **_NO_TIMING,
}
"""Values of a job that is queued again."""


class JobStore(JobRecords):
    """The jobs of one store. Thread-safe; create one per process and dispose of it.

    Every method raises JobError when the database can't be reached.
    """

    def log_path(self, job: Job) -> Path:
        """The file that receives the output of the job's process."""
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
        """Queue the command `python -m fer_core ARGS`. Call `ensure_supervisor` next to start it.

        Args:
            target: id of the run or dataset that the job works on.
            resume_args: appended to `args` from the second attempt on, such as `("--resume",)`; the command must accept
                them even if the first attempt did nothing.
            priority: higher starts first, then the oldest.
            device: "cpu", "gpu:0" and so on; each device has its own limit.
            job_id: the new job's id; derived from `kind` by default.
        Raises:
            JobError: the id is taken.
            InputError: the id or the priority is invalid.
        """
        row: dict[str, Any] = {
            "id": new_id(kind) if job_id is None else check_id(job_id, "job"),
            "kind": kind.value,
            "title": title,
            "args": list(args),
            "resume_args": list(resume_args),
            "target": target,
            "priority": check_priority(priority),
            "device": device,
            "created_at": utc_now(),
        }
        try:
            with self._database.transaction() as connection:
                added = connection.execute(insert(JOBS).values(row).returning(JOBS)).one()
                return job_from_row(added)
        except IntegrityError as exc:
            raise JobError(f"There is already a job {row['id']!r}. Choose another id.") from exc

    def claim_next(self, full: Iterable[str] = ()) -> Job | None:
        """Mark the next queued job for a device that is not `full` as running; returns it, or None.

        Concurrent callers never get the same job.
        """
        first = select(JOBS.c.id).where(JOBS.c.state == JobState.QUEUED.value, JOBS.c.device.not_in(tuple(full)))
        first = first.order_by(*QUEUE_ORDER).limit(1)
        while True:
            with self._database.transaction() as connection:
                job_id = connection.execute(first).scalar_one_or_none()
            if job_id is None:
                return None
            claimed = self._update(
                job_id,
                (JobState.QUEUED,),
                state=JobState.RUNNING.value,
                started_at=utc_now(),
                heartbeat_at=utc_now(),
                **_NO_TIMING,
                attempts=JOBS.c.attempts + 1,
            )
            if claimed is not None:
                return claimed

    def record_process(self, job_id: str, pid: int, pid_started_at: float) -> Job:
        """Record the process of a claimed job; `pid_started_at` in seconds since the epoch.

        Raises:
            JobError: the job is not running.
        """
        changed = self._update(
            job_id, (JobState.RUNNING,), pid=pid, pid_started_at=pid_started_at, heartbeat_at=utc_now()
        )
        return changed or self._raise_conflict(job_id, "can't get a process")

    def heartbeat(
        self,
        job_id: str,
        progress_01: float,
        message: str,
        left_s: float | None = None,
        timing: StepTiming | None = None,
    ) -> bool:
        """Record a job's progress; returns whether the job must stop."""
        changed = self._update(
            job_id,
            (JobState.RUNNING,),
            heartbeat_at=utc_now(),
            progress_01=min(1.0, max(0.0, progress_01)),
            message=message,
            **_NO_TIMING | ({} if timing is None else asdict(timing)) | {"left_s": left_s},
        )
        return changed is None or changed.cancel_requested or changed.stall_recorded

    def record_end(self, job_id: str, exit_code: int, error: str) -> bool:
        """Record the exit code that a job's process is about to return; returns whether the job was running.

        The state stays `running` until the supervisor sees the process end.
        """
        return self._update(job_id, (JobState.RUNNING,), exit_code=exit_code, error=error) is not None

    def finish(self, job_id: str, state: JobState, exit_code: int | None, error: str) -> Job:
        """End a running job; `error` is one line, or empty.

        Raises:
            JobError: the job is not running, or `state` is not an end state.
        """
        if not state.ended:
            raise JobError(f"{state} is not an end state. Choose one of: {', '.join(ENDED_STATES)}.")
        values: dict[str, Any] = {"state": state.value, "exit_code": exit_code, "error": error, "ended_at": utc_now()}
        if state is JobState.SUCCEEDED:
            values["progress_01"] = 1.0
        return self._update(job_id, (JobState.RUNNING,), **values) or self._raise_conflict(job_id, "can't be finished")

    def request_cancel(self, job_id: str) -> Job:
        """Cancel a queued job, or request a running one to stop. Call `ensure_supervisor` next.

        Raises:
            JobError: the job has ended, or there is no such job.
        """
        cancelled = self._update(
            job_id, (JobState.QUEUED,), state=JobState.CANCELLED.value, cancel_requested=True, ended_at=utc_now()
        )
        requested = cancelled or self._update(job_id, (JobState.RUNNING,), cancel_requested=True)
        return requested or self._raise_conflict(job_id, "can't be cancelled")

    def record_stall(self, job_id: str) -> Job:
        """Record that a job stalled and its process is being stopped.

        Raises:
            JobError: the job is not running.
        """
        updated = self._update(job_id, (JobState.RUNNING,), stall_recorded=True, stalls=JOBS.c.stalls + 1)
        return updated or self._raise_conflict(job_id, "has not stalled")

    def resume_stalled(self, job_id: str) -> Job:
        """Queue a job again whose process was stopped because it stalled; it resumes.

        Raises:
            JobError: the job is not running.
        """
        queued = self._update(job_id, (JobState.RUNNING,), from_start=False, **_RESET_VALUES)
        return queued or self._raise_conflict(job_id, "can't be resumed")

    def set_priority(self, job_id: str, priority: int) -> Job:
        """Change the priority of a queued job; higher starts first.

        Raises:
            JobError: the job is not queued, or there is no such job.
            InputError: the priority is out of bounds.
        """
        changed = self._update(job_id, (JobState.QUEUED,), priority=check_priority(priority))
        return changed or self._raise_conflict(job_id, "is no longer queued")

    def resume(self, job_id: str) -> Job:
        """Queue a failed, cancelled or interrupted job again; it resumes. Call `ensure_supervisor` next.

        Raises:
            JobError: the job is in another state, or there is no such job.
        """
        return self._requeue(job_id, from_start=False) or self._raise_conflict(job_id, "can't be resumed")

    def retry(self, job_id: str) -> Job:
        """Queue a failed, cancelled or interrupted job again, from the start. Call `ensure_supervisor` next.

        Raises:
            JobError: the job is in another state, or there is no such job.
        """
        return self._requeue(job_id, from_start=True) or self._raise_conflict(job_id, "can't be retried")

    def _requeue(self, job_id: str, *, from_start: bool) -> Job | None:
        return self._update(job_id, RESUMABLE_STATES, from_start=from_start, stalls=0, **_RESET_VALUES)

    def delete(self, job_id: str) -> None:
        """Delete an ended job and its log.

        Raises:
            JobError: the job is queued or running, or there is no such job.
        """
        job = self.get(job_id)
        ended = JOBS.c.state.in_([state.value for state in ENDED_STATES])
        with self._database.transaction() as connection:
            deleted = connection.execute(delete(JOBS).where(JOBS.c.id == job_id, ended)).rowcount
        if not deleted:
            self._raise_conflict(job_id, "can't be deleted")
        self.log_path(job).unlink(missing_ok=True)
