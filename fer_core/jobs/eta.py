"""How long a job will still take, from its pace of late."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 180.0
_TOLD_AFTER_S = 5.0
_JUMP = 5.0
"""TrainStep this many times as fast as the usual one are none: a resumed job jumps over what it had done before."""


class EtaEstimator:
    """What a job has said of its progress in the last minutes; used by one thread."""

    def __init__(self) -> None:
        self._said: deque[tuple[float, float]] = deque()

    def note(self, now_s: float, done_01: float) -> None:
        """The job was `done_01` far at `now_s`, which never goes back."""
        if self._said and done_01 < self._said[-1][1]:
            self._said.clear()  # a new part of the work, told from its start
        if len(self._said) == 1 and done_01 == self._said[0][1]:
            self._said.clear()  # it has not begun to move
        self._said.append((now_s, done_01))
        while self._said[-1][0] - self._said[0][0] > _WINDOW_S and len(self._said) > 2:
            self._said.popleft()

    def left_s(self) -> float | None:
        """Seconds left as of the last note; None before there is a pace."""
        pairs = zip(self._said, list(self._said)[1:], strict=False)
        steps = [(after_s - before_s, after - before) for (before_s, before), (after_s, after) in pairs]
        steps = [(seconds, done) for seconds, done in steps if seconds > 0]
        usual = _usual_speed(steps)
        kept = [(seconds, done) for seconds, done in steps if done / seconds <= _JUMP * usual]
        spent_s, done = sum(step[0] for step in kept), sum(step[1] for step in kept)
        if spent_s < _TOLD_AFTER_S or done <= 0:
            return None
        return (1 - self._said[-1][1]) * spent_s / done


def _usual_speed(steps: list[tuple[float, float]]) -> float:
    """The speed that half of the time went by at or below; 0 where nothing has moved.

    TrainStep at which nothing moved are passed over: a job may say the same twice.
    """
    moved = sorted((done / seconds, seconds) for seconds, done in steps if done > 0)
    half_s = sum(seconds for _, seconds in moved) / 2
    for speed, seconds in moved:
        half_s -= seconds
        if half_s <= 0:
            return speed
    return 0.0
