"""A job as the database records it: a value that is read, never changed in place."""

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


class JobState(StrEnum):
    """Where a job is on its way.

    queued -> running -> succeeded, failed, cancelled or interrupted; a queued job may be cancelled at once,
    and a failed, cancelled or interrupted one may be queued again. A running job is stalled while its process
    lives and its present step takes far longer than usual; the database records that as running.
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
        """Whether the job still has something to do."""
        return self in ACTIVE_STATES

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to the job unless somebody asks for it."""
        return not self.active


STARTED_STATES = (JobState.RUNNING, JobState.STALLED)
"""Those of a job that has a process."""
ACTIVE_STATES = (JobState.QUEUED, *STARTED_STATES)
ENDED_STATES = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED)
PRIORITY_MAX = 1_000_000
RESUMABLE_STATES = (JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Job:
    """One command of `python -m fer_core`, and how it fares. Times are aware, in UTC.

    `target` is what the job works on, the id of a run or of a dataset. `pid_started_at` (seconds since the
    epoch) tells the job's process from a later one with the same pid. `error` is one line for a person, or
    empty. `exit_code` is negative when a signal ended the process. `attempts` counts the starts. `device` is
    where it runs, "cpu" or "gpu:0"; `from_start` says that what earlier attempts did is not to be gone on from;
    `left_s` is the time left as of `heartbeat_at`, None while there is no pace to tell it by. `step_elapsed_s` is how
    long the present step had taken then, `stalled_after_s` how long it may, and `usual_step_s` how long one usually
    takes; None while that can't be said. `stalls` counts the attempts in a row that were ended because they stalled,
    the present one too once that is to happen, which `stall_recorded` says.
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
        """What follows `python -m fer_core` in the present attempt."""
        return self.args + self.resume_args if self.attempts > 1 and not self.from_start else self.args

    def left_at(self, now: datetime) -> float | None:
        """Seconds left at `now`, which is not before the last sign of life; None when nobody can tell."""
        if self.state is not JobState.RUNNING or self.left_s is None or self.heartbeat_at is None:
            return None
        return max(0.0, self.left_s - (now - self.heartbeat_at).total_seconds())

    def step_elapsed_at(self, now: datetime) -> float | None:
        """Seconds that the present step has taken at `now`; None where nobody can say how long it may take."""
        if self.state not in STARTED_STATES or self.step_elapsed_s is None or self.heartbeat_at is None:
            return None
        return self.step_elapsed_s + max(0.0, (now - self.heartbeat_at).total_seconds())

    def stalled_at(self, now: datetime) -> bool:
        """Whether the present step takes far longer than usual."""
        step_elapsed_s = self.step_elapsed_at(now)
        return step_elapsed_s is not None and self.stalled_after_s is not None and step_elapsed_s > self.stalled_after_s

    @property
    def resumable(self) -> bool:
        """Whether the job can be queued again."""
        return self.state in RESUMABLE_STATES


def check_priority(priority: int) -> int:
    """`priority` itself when it is within bounds.

    Raises:
        InputError: it is not.
    """
    if abs(priority) > PRIORITY_MAX:
        raise InputError(f"The priority {priority} is out of bounds. Give one from {-PRIORITY_MAX} to {PRIORITY_MAX}.")
    return priority
