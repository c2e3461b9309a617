"""Determine the final state and error message of a job whose process has ended."""

from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from fer_core.errors import CancelledError
from fer_core.jobs.job import Job, JobState
from fer_core.jobs.log import clip_line, last_error_line

STALLS_MAX = 2
"""A job fails after this many stalled attempts in a row; after fewer it is resumed."""

_NO_SPACE = "No space left on device"
_FREE_BYTES_MIN = 2**16


@dataclass(frozen=True, slots=True)
class Outcome:
    """The final state of a job."""

    state: JobState
    exit_code: int | None
    error: str


def determine_outcome(job: Job, exit_code: int | None, log: Path) -> Outcome:
    """Determine how a job ended.

    Args:
        job: read from the database after the process ended, so that its last report is included.
        exit_code: exit code of the process, negative for a signal; None if unknown.
        log: the job's log.
    """
    code = exit_code
    if job.exit_code is not None and (code is None or code < 0):
        # The command reported its end, so its work is done: libraries may still crash while unloading.
        code = job.exit_code
    if code == 0:
        return Outcome(JobState.SUCCEEDED, code, "")
    if job.cancel_requested:
        return Outcome(JobState.CANCELLED, code, "")
    if job.stall_recorded:
        return _stalled(job, code)
    if code == CancelledError.exit_code:  # stopped cleanly, but not requested here: the machine shuts down
        return Outcome(JobState.INTERRUPTED, code, "The process was stopped from outside. Resume the job.")
    if code is None:
        return Outcome(
            JobState.INTERRUPTED,
            None,
            "The process ended unobserved: a crash, a kill or a restart of the machine. Resume the job.",
        )
    if code < 0:
        return Outcome(JobState.INTERRUPTED, code, _killed(-code))
    error = clip_line(job.error) or last_error_line(log)
    if _NO_SPACE in error or (not error and _is_full(log.parent)):
        error = "The disk is full. Free some space, then resume the job."
    return Outcome(JobState.FAILED, code, error or f"Exit code {code}; the log is empty.")


def _stalled(job: Job, code: int | None) -> Outcome:
    if job.stalls < STALLS_MAX:
        return Outcome(JobState.INTERRUPTED, code, "The job stalled and was stopped to be resumed.")
    return Outcome(
        JobState.FAILED,
        code,
        f"The job stalled twice, the second time at: {job.message}. Its process hung and was killed. Restart the "
        "machine or set FERSCOPE_THREADS=1, then resume the job from its last finished epoch.",
    )


def signal_name(number: int) -> str:
    """The name of a signal, such as SIGKILL."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _is_full(folder: Path) -> bool:
    """Whether the disk has no space for a log line."""
    try:
        return shutil.disk_usage(folder).free < _FREE_BYTES_MIN
    except OSError:
        return False


def _killed(number: int) -> str:
    name = signal_name(number)
    cause = " The machine may have run out of memory." if name == "SIGKILL" else ""
    return f"The process was killed by {name}.{cause} Resume the job."
