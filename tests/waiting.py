"""Wait for another thread or process."""

from __future__ import annotations

import time
from collections.abc import Callable

_WITHIN_S = 30.0


def wait_until(holds: Callable[[], bool]) -> None:
    """Fail if a condition does not hold in time."""
    deadline_s = time.monotonic() + _WITHIN_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
