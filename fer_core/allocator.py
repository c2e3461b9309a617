"""The C allocator of a training process: keep memory between steps instead of giving it back and asking again.

glibc returns large blocks to the system as soon as they are free, and every step then pays for the same pages
again, one fault each. Its thresholds can only be set before a process starts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**28),
    "MALLOC_ARENA_MAX": "2",
}


def restart_with_kept_memory(arguments: Sequence[str]) -> None:
    """Replace this process by `python -m fer_core ARGUMENTS` with the thresholds raised; the pid stays.

    Does nothing where that has happened already, where any of them is set by hand, or outside Linux.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in KEPT_MEMORY):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", "fer_core", *arguments], {**os.environ, **KEPT_MEMORY})


def memory_is_kept() -> bool:
    """Whether this process was started with raised thresholds."""
    return all(name in os.environ for name in KEPT_MEMORY)
