"""Tune glibc's memory allocator: trainings retain freed memory between steps, the web server returns it.

By default glibc returns large blocks to the system when they are freed, and every training step then pays for the page
faults again. It also raises that threshold after the first large block and has eight heaps per core, so that a server
with short-lived threads retains the peak memory of each.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping, Sequence

MALLOC_SETTINGS = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**28),
    "MALLOC_ARENA_MAX": "2",
}
"""Environment variables of a training process, read at its start; they apply to all threads.

Blocks are never mapped separately, since glibc returns mapped blocks. Before version 2.35 its mapping threshold was
limited to 32 MiB, less than the first activations of study A's network (154 MiB a batch).
"""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MMAP_THRESHOLD_MAX = 32 * 2**20
"""The largest mmap threshold that all glibc versions accept."""

_TRIM_THRESHOLD = 256 * 2**20

_SERVER_MMAP_THRESHOLD = 256 * 2**10
"""Video frames and decoded photos are larger, so they are mapped separately."""

_SERVER_ARENAS = 2


def retain_freed_memory() -> None:
    """Raise the thresholds of the running process as far as possible; only with glibc on Linux."""
    _set({_M_MMAP_THRESHOLD: _MMAP_THRESHOLD_MAX, _M_TRIM_THRESHOLD: _TRIM_THRESHOLD})


def return_freed_memory() -> None:
    """Return large blocks to the system and let threads share heaps; only with glibc on Linux.

    Call this before starting threads.
    """
    _set({_M_MMAP_THRESHOLD: _SERVER_MMAP_THRESHOLD, _M_ARENA_MAX: _SERVER_ARENAS})


def _set(options: Mapping[int, int]) -> None:
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in options.items():
            mallopt(option, value)


def restart_with_malloc_settings(arguments: Sequence[str]) -> None:
    """Replace this process by `python -m fer_core ARGUMENTS` with `MALLOC_SETTINGS`; the pid stays the same.

    Does nothing if any of the variables is set, or outside Linux.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in MALLOC_SETTINGS):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", "fer_core", *arguments], {**os.environ, **MALLOC_SETTINGS})


def has_malloc_settings() -> bool:
    """Whether this process was started with `MALLOC_SETTINGS`."""
    return all(name in os.environ for name in MALLOC_SETTINGS)
