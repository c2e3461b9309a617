"""A background job: its kind, its state and its record in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fer_core.errors import InputError


class JobKind(StrEnum):
    """What a job does."""

    TRAIN = "train"
    IMPORT = "import"
    FETCH = "fetch"
    QUALITY = "quality"
    GENERATE = "generate"
    PREDICT = "predict"
    EMBED = "embed"


class JobState(StrEnum):
    """The state of a job.

    queued -> running -> succeeded, failed, cancelled or interrupted. A queued job can be cancelled directly, and a
    failed, cancelled or interrupted one can be queued again. A running job counts as stalled while its process is alive
    and its current step takes far longer than usual; the database stores such a job as running.
    """

    QUEUED = "queued"
    RUNNING = "running"
    STALLED = "stalled"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def active(self) -> bool:
        """Whether the job is queued or running."""
        return self in ACTIVE_STATES

    @property
    def ended(self) -> bool:
        """Whether the job is over, unless it is queued again."""
        return not self.active


STARTED_STATES = (JobState.RUNNING, JobState.STALLED)
"""States of a job that has a process."""
ACTIVE_STATES = (JobState.QUEUED, *STARTED_STATES)
ENDED_STATES = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED)
PRIORITY_MAX = 1_000_000
RESUMABLE_STATES = (JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Job:
    """One command of `python -m fer_core` that runs in the background. Times are timezone-aware, in UTC.

    Attributes:
        args: arguments of `python -m fer_core`.
        resume_args: arguments that are appended when the job is resumed.
        target: id of the run or dataset that the job works on.
        heartbeat_at: when the job's process last reported.
        pid_started_at: start of the process in seconds since the epoch; distinguishes it from a later process with the
            same pid.
        exit_code: negative if a signal ended the process.
        error: one line, or empty.
        attempts: number of starts.
        device: "cpu", "gpu:0" and so on.
        from_start: the next attempt starts over instead of resuming.
        left_s: estimated seconds left at `heartbeat_at`; None while unknown.
        step_elapsed_s: seconds the current step had taken at `heartbeat_at`; None if it has no expected length.
        stalled_after_s: seconds after which the current step counts as stalled.
        usual_step_s: seconds a step usually takes; None while unknown.
        stalls: consecutive attempts that stalled, including the current one if `stall_recorded`.
        stall_recorded: the process is being stopped because it stalled.
    """

    id: str
    kind: JobKind
    title: str
    args: tuple[str, ...]
    resume_args: tuple[str, ...]
    target: str
    state: JobState
    priority: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    heartbeat_at: datetime | None
    pid: int | None
    pid_started_at: float | None
    exit_code: int | None
    progress_01: float
    message: str
    error: str
    cancel_requested: bool
    attempts: int
    device: str
    from_start: bool
    left_s: float | None
    step_elapsed_s: float | None
    stalled_after_s: float | None
    usual_step_s: float | None
    stalls: int
    stall_recorded: bool

    @property
    def command_args(self) -> tuple[str, ...]:
        """Arguments of `python -m fer_core` for the current attempt."""
        return self.args + self.resume_args if self.attempts > 1 and not self.from_start else self.args

    def left_at(self, now: datetime) -> float | None:
        """Estimate the seconds left at `now`; None while unknown."""
        if self.state is not JobState.RUNNING or self.left_s is None or self.heartbeat_at is None:
            return None
        return max(0.0, self.left_s - (now - self.heartbeat_at).total_seconds())

    def step_elapsed_at(self, now: datetime) -> float | None:
        """Seconds the current step has taken at `now`; None if it has no expected length."""
        if self.state not in STARTED_STATES or self.step_elapsed_s is None or self.heartbeat_at is None:
            return None
        return self.step_elapsed_s + max(0.0, (now - self.heartbeat_at).total_seconds())

    def stalled_at(self, now: datetime) -> bool:
        """Whether the current step takes far longer than usual."""
        step_elapsed_s = self.step_elapsed_at(now)
        return step_elapsed_s is not None and self.stalled_after_s is not None and step_elapsed_s > self.stalled_after_s

    @property
    def resumable(self) -> bool:
        """Whether the job can be queued again."""
        return self.state in RESUMABLE_STATES


def check_priority(priority: int) -> int:
    """Return `priority` if it is within bounds.

    Raises:
        InputError: it is out of bounds.
    """
    if abs(priority) > PRIORITY_MAX:
        raise InputError(f"The priority {priority} is out of bounds. Give one from {-PRIORITY_MAX} to {PRIORITY_MAX}.")
    return priority
