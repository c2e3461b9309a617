"""Jobs make room for a live view: it leaves a sign in the store while it plays, and they use fewer threads."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from fer_core.settings import Settings

REQUEST_LASTS_S = 10.0
"""A live view renews its sign each second; a browser that was closed leaves it to grow old."""


def request_throttling(settings: Settings) -> None:
    """Say that a live view plays now. Never fails: a live view is worth more than room for it."""
    try:
        settings.store.mkdir(parents=True, exist_ok=True)
        _sign(settings).touch()
    except OSError:
        pass


def throttling_requested(settings: Settings) -> bool:
    """Whether a live view has played within the last seconds."""
    try:
        return abs(time.time() - _sign(settings).stat().st_mtime) < REQUEST_LASTS_S
    except OSError:
        return False


class ThreadLimiter:
    """How many threads this process computes with: half of them while it yields. Used by the main thread."""

    def __init__(self) -> None:
        self._before: int | None = None

    def fit(self, *, yielding: bool) -> str:
        """Take fewer threads, or all of them again; what changed in words, or nothing."""
        torch = sys.modules.get("torch")  # looked up, not imported: a job without it has nothing to give up
        if torch is None or yielding is (self._before is not None):
            return ""
        if self._before is None:
            self._before = torch.get_num_threads()
            torch.set_num_threads(max(1, self._before // 2))
            return f"A live view plays: {torch.get_num_threads()} of {self._before} threads until it ends."
        torch.set_num_threads(self._before)
        self._before = None
        return f"The live view has ended: {torch.get_num_threads()} threads again."


def _sign(settings: Settings) -> Path:
    return settings.store / "live-view"
