"""What a job's end means: from exit code, request and record to a state and a line for a person."""

from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from fer_core.jobs.job import Job, JobState
from fer_core.jobs.log import last_error_line, one_line

EXIT_CANCELLED = 75
"""What a command that was asked to stop exits with (EX_TEMPFAIL: trying again may succeed)."""

STALLS_MAX = 2
"""So many attempts in a row that stalled fail a job; fewer are resumed."""

_NO_ROOM = "No space left on device"
_ROOM_BYTES_MIN = 2**16


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended."""

    state: JobState
    exit_code: int | None
    error: str


def outcome(job: Job, exit_code: int | None, log: Path) -> Outcome:
    """Judge a job whose process is gone.

    Args:
        job: read from the database after the process was gone, so that it holds what the job said last.
        exit_code: the process's, negative for a signal; None when nobody saw it.
        log: the job's log.
    """
    code = exit_code
    if job.exit_code is not None and (code is None or code < 0):
        # A command that has said how it ended has done its work: libraries may still crash while unloading.
        code = job.exit_code
    if code == 0:
        return Outcome(JobState.SUCCEEDED, code, "")
    if job.cancel_requested:
        return Outcome(JobState.CANCELLED, code, "")
    if job.stall_recorded:
        return _stalled(job, code)
    if code == EXIT_CANCELLED:  # it stopped in good order, but nobody asked here: the machine is going down
        return Outcome(JobState.INTERRUPTED, code, "The process was asked to stop from outside. Resume the job.")
    if code is None:
        return Outcome(
            JobState.INTERRUPTED,
            None,
            "The process ended while nobody watched: a crash, a kill or a restart of the machine. Resume the job.",
        )
    if code < 0:
        return Outcome(JobState.INTERRUPTED, code, _killed(-code))
    words = one_line(job.error) or last_error_line(log)
    if _NO_ROOM in words or (not words and _is_full(log.parent)):
        words = "The disk is full. Free some room, then resume the job."
    words = words or f"Exit code {code}, and nothing in the log."
    return Outcome(JobState.FAILED, code, words)


def _stalled(job: Job, code: int | None) -> Outcome:
    """The end that the supervisor brought about: it resumes a job that is interrupted so."""
    if job.stalls < STALLS_MAX:
        return Outcome(JobState.INTERRUPTED, code, "It stalled, and was ended to be resumed.")
    return Outcome(
        JobState.FAILED,
        code,
        f"It stalled twice, the second time at: {job.message}. Its process hung and was ended. Restart the machine or "
        "set FERSCOPE_THREADS=1, then resume the job: it goes on from its last finished epoch.",
    )


def signal_name(number: int) -> str:
    """A signal as people know it, such as SIGKILL."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _is_full(folder: Path) -> bool:
    """Whether there is no room for a line to say so."""
    try:
        return shutil.disk_usage(folder).free < _ROOM_BYTES_MIN
    except OSError:
        return False


def _killed(number: int) -> str:
    name = signal_name(number)
    cause = " The machine may have run out of memory." if name == "SIGKILL" else ""
    return f"The process was ended by {name} from outside.{cause} Resume the job."
