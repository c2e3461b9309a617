"""Rate of events, such as frames per second."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 2.0
_EVENTS_MAX = 512


class EventRate:
    """Counts events over the last seconds. Not thread-safe."""

    def __init__(self, window_s: float = _WINDOW_S) -> None:
        self._window_s = window_s
        self._times: deque[float] = deque(maxlen=_EVENTS_MAX)

    def add(self, at_s: float) -> None:
        """Count an event at the time `at_s`."""
        self._times.append(at_s)

    def per_s(self, now_s: float) -> float:
        """Events per second over the window, or since the first event if that is shorter."""
        while self._times and now_s - self._times[0] > self._window_s:
            self._times.popleft()
        if len(self._times) < 2:
            return 0.0
        span_s = now_s - self._times[0]
        return (len(self._times) - 1) / span_s if span_s > 0 else 0.0
