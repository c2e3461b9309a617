"""Whether a job that goes in steps still makes them: seconds since the last one, held against its usual pace."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from fer_core.jobs.job import Job
from fer_core.progress import StepMessage
from fer_core.settings import Settings

_FACTOR = 10
"""A step that takes this many times as long as usual has stalled, if it takes `stalled_after_s` of the settings too."""
_PATIENCE = 30
"""Before there is a pace, `stalled_after_s` times this: a first batch may compile, and read a cold disk."""
_STEPS_MIN = 3
_STEPS_MAX = 64


@dataclass(frozen=True, slots=True)
class StepTiming:
    """How long the present step has taken.

    Attributes:
        step_elapsed_s: seconds since it began.
        stalled_after_s: seconds after which it counts as stalled.
        usual_step_s: seconds that a step usually takes; None before a few have been seen.
    """

    step_elapsed_s: float
    stalled_after_s: float
    usual_step_s: float | None


class StepTimer:
    """Measures the steps of a job. The job's thread notes them, another one may look.

    Time is that of `time.monotonic`, which a machine that sleeps, or whose clock is set, does not move.
    """

    def __init__(self, least_s: float) -> None:
        self._least_s = least_s
        self._kind = ""
        self._began_s = 0.0
        self._steps: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def note(self, now_s: float, message: str) -> None:
        """A step began, or, where the message is no `StepMessage`, work began whose end nobody can foresee."""
        kind = message.kind if isinstance(message, StepMessage) else ""
        with self._lock:
            if kind and kind == self._kind:
                self._steps.setdefault(kind, deque(maxlen=_STEPS_MAX)).append(now_s - self._began_s)
            self._kind, self._began_s = kind, now_s

    def timing(self, now_s: float) -> StepTiming | None:
        """How long the present step has taken; None while nobody can say how long it may take."""
        with self._lock:
            if not self._kind:
                return None
            steps, step_elapsed_s = list(self._steps.get(self._kind, ())), now_s - self._began_s
        if len(steps) < _STEPS_MIN:
            return StepTiming(step_elapsed_s, _PATIENCE * self._least_s, None)
        usual_step_s = median(steps)
        return StepTiming(step_elapsed_s, max(self._least_s, _FACTOR * usual_step_s), usual_step_s)


def describe_stall(job: Job, now: datetime) -> str:
    """What a stalled job does not do, in a sentence."""
    step_elapsed_s = job.step_elapsed_at(now) or 0.0
    usual = f"; one usually takes {_span(job.usual_step_s)}" if job.usual_step_s is not None else ""
    return f"No batch has finished for {_span(step_elapsed_s)}{usual}."


def stall_remedy(job: Job, settings: Settings) -> str:
    """What is done about a stalled job, or what to do, in a sentence."""
    if not settings.resume_stalled:
        return "Cancel the job, then resume it: it goes on from its last finished epoch."
    if job.stalls > job.stall_recorded:
        return "It has stalled before, so its process will be ended and the job fails."
    return "Its process will be ended and the job resumed from its last finished epoch."


def _span(seconds: float) -> str:
    """A time span: "0.4 s", "45 s", "3 minutes"."""
    return f"{seconds:.2g} s" if seconds < 90 else f"{round(seconds / 60):,} minutes"
