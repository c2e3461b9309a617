"""Estimate the time left from a job's recent progress."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 180.0
_ESTIMATE_AFTER_S = 5.0
_REST_MIN_S, _REST_FACTOR = 15.0, 2.0
"""A rest that is longer than this, and than twice the longest one before, is a step of unknown length."""

_JUMP_FACTOR = 5.0
"""Progress this many times faster than usual is ignored: a resumed job skips what was already done."""


class EtaEstimator:
    """Estimates the time left from the progress of the last minutes. Not thread-safe."""

    def __init__(self) -> None:
        self._reports: deque[tuple[float, float]] = deque()

    def update(self, now_s: float, done_01: float) -> None:
        """Record the progress at a time of a monotonic clock, in seconds."""
        if self._reports and done_01 < self._reports[-1][1]:
            self._reports.clear()  # progress starts over
        if len(self._reports) == 1 and done_01 == self._reports[0][1]:
            self._reports.clear()  # no progress yet
        self._reports.append((now_s, done_01))
        while self._reports[-1][0] - self._reports[0][0] > _WINDOW_S and len(self._reports) > 2:
            self._reports.popleft()

    def left_s(self) -> float | None:
        """Seconds left at the last update; None without enough progress."""
        pairs = zip(self._reports, list(self._reports)[1:], strict=False)
        steps = [(after_s - before_s, after - before) for (before_s, before), (after_s, after) in pairs]
        steps = [(seconds, done) for seconds, done in steps if seconds > 0]
        usual = _usual_speed(steps)
        steps = [(seconds, done) for seconds, done in steps if done / seconds <= _JUMP_FACTOR * usual]
        if self._waits():
            return None
        spent_s, done = sum(step[0] for step in steps), sum(step[1] for step in steps)
        if spent_s < _ESTIMATE_AFTER_S or done <= 0:
            return None
        return (1 - self._reports[-1][1]) * spent_s / done

    def _waits(self) -> bool:
        """Whether progress has rested longer than before, so that the former speed says nothing about the rest."""
        pauses, since_s = [0.0], self._reports[0][0] if self._reports else 0.0
        for (before_s, before), (after_s, after) in zip(self._reports, list(self._reports)[1:], strict=False):
            if after != before:
                pauses.append(before_s - since_s)
                since_s = after_s
        rest_s = self._reports[-1][0] - since_s if self._reports else 0.0
        return rest_s > max(_REST_MIN_S, _REST_FACTOR * max(pauses))


def _usual_speed(steps: list[tuple[float, float]]) -> float:
    """The time-weighted median speed of steps with progress; 0 without any."""
    moved = sorted((done / seconds, seconds) for seconds, done in steps if done > 0)
    half_s = sum(seconds for _, seconds in moved) / 2
    for speed, seconds in moved:
        half_s -= seconds
        if half_s <= 0:
            return speed
    return 0.0
