"""Detect stalled jobs: compare the current step's time with the usual time of a step."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from fer_core.jobs.job import Job
from fer_core.progress import StepMessage
from fer_core.settings import Settings
from fer_core.text import format_duration

_FACTOR = 10
"""A step stalls when it takes this many times the usual time, and at least the setting `stalled_after_s`."""
_FIRST_STEP_FACTOR = 30
"""Times `stalled_after_s` before the usual time is known: a first batch may compile and read from a cold disk."""
_STEPS_MIN = 3
_STEPS_MAX = 64


@dataclass(frozen=True, slots=True)
class StepTiming:
    """How long the current step has taken.

    Attributes:
        step_elapsed_s: seconds since its start.
        stalled_after_s: seconds after which it counts as stalled.
        usual_step_s: median seconds of past steps; None before a few have ended.
    """

    step_elapsed_s: float
    stalled_after_s: float
    usual_step_s: float | None


class StepTimer:
    """Measures the steps of a job. Thread-safe.

    Times are those of `time.monotonic`, which ignores sleep and clock changes.
    """

    def __init__(self, stalled_after_s: float) -> None:
        self._stalled_after_s = stalled_after_s
        self._kind = ""
        self._started_s = 0.0
        self._steps: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def start_step(self, now_s: float, message: str) -> None:
        """Start a step. A message that is not a `StepMessage` starts work of unknown length."""
        kind = message.kind if isinstance(message, StepMessage) else ""
        with self._lock:
            if kind and kind == self._kind:
                self._steps.setdefault(kind, deque(maxlen=_STEPS_MAX)).append(now_s - self._started_s)
            self._kind, self._started_s = kind, now_s

    def timing(self, now_s: float) -> StepTiming | None:
        """Timing of the current step; None during work of unknown length."""
        with self._lock:
            if not self._kind:
                return None
            steps, step_elapsed_s = list(self._steps.get(self._kind, ())), now_s - self._started_s
        if len(steps) < _STEPS_MIN:
            return StepTiming(step_elapsed_s, _FIRST_STEP_FACTOR * self._stalled_after_s, None)
        usual_step_s = median(steps)
        return StepTiming(step_elapsed_s, max(self._stalled_after_s, _FACTOR * usual_step_s), usual_step_s)


def describe_stall(job: Job, now: datetime) -> str:
    """Describe a stall in a sentence."""
    step_elapsed_s = job.step_elapsed_at(now) or 0.0
    usual = f"; one usually takes {format_duration(job.usual_step_s)}" if job.usual_step_s is not None else ""
    return f"No batch has finished for {format_duration(step_elapsed_s)}{usual}."


def stall_remedy(job: Job, settings: Settings) -> str:
    """Say what happens with a stalled job, or what to do, in a sentence."""
    if not settings.resume_stalled:
        return "Cancel the job, then resume it from its last finished epoch."
    if job.stalls > job.stall_recorded:
        return "It has stalled before, so its process is stopped and the job fails."
    return "Its process is stopped and the job resumes from its last finished epoch."
