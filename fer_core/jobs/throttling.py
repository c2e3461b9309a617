"""Throttle jobs while a live view plays: it touches a file in the store, and jobs use half of their threads."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from fer_core.settings import Settings

REQUEST_LASTS_S = 10.0
"""A live view renews its request each second; that of a closed browser expires."""


def request_throttling(settings: Settings) -> None:
    """Request throttling now. Never fails."""
    try:
        settings.store.mkdir(parents=True, exist_ok=True)
        _request_file(settings).touch()
    except OSError:
        pass


def throttling_requested(settings: Settings) -> bool:
    """Whether throttling was requested in the last seconds."""
    try:
        return abs(time.time() - _request_file(settings).stat().st_mtime) < REQUEST_LASTS_S
    except OSError:
        return False


class ThreadLimiter:
    """Halves the number of torch threads while throttled. Used by the main thread."""

    def __init__(self) -> None:
        self._full: int | None = None

    def limit(self, *, throttled: bool) -> str:
        """Set the number of threads; returns a log message, or "" if nothing changed."""
        torch = sys.modules.get("torch")  # not imported: a job without torch has nothing to throttle
        if torch is None or throttled is (self._full is not None):
            return ""
        if self._full is None:
            self._full = torch.get_num_threads()
            torch.set_num_threads(max(1, self._full // 2))
            return f"A live view is playing: using {torch.get_num_threads()} of {self._full} threads."
        torch.set_num_threads(self._full)
        self._full = None
        return f"The live view has ended: {torch.get_num_threads()} threads again."


def _request_file(settings: Settings) -> Path:
    return settings.store / "live-view"
