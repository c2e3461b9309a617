"""The C allocator: a training keeps memory between steps instead of asking again, a server gives it back.

glibc returns large blocks to the system as soon as they are free, and every step then pays for the same pages
again, one fault each. But it also learns from the first large block to keep the later ones, and has eight heaps a
core for threads: a server whose threads come and go keeps what each of them once needed.
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
"""For a training process, whose allocations come from several threads: these are read as the process starts.

No block is mapped by itself: glibc gives mapped blocks back, and before 2.35 it refuses to map only larger ones than
32 MiB, which the first activations of study A's network are (154 MiB a batch).
"""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_BLOCK_MAX = 32 * 2**20
"""The largest threshold that every glibc takes."""

_KEPT_MAX = 256 * 2**20

_SERVER_BLOCK_MAX = 256 * 2**10
"""Video frames and decoded photos are larger, and so mapped by themselves."""

_SERVER_ARENAS = 2


def retain_freed_memory() -> None:
    """Raise the thresholds of this process, as far as one can while it runs; does nothing outside Linux's glibc."""
    _set({_M_MMAP_THRESHOLD: _BLOCK_MAX, _M_TRIM_THRESHOLD: _KEPT_MAX})


def return_freed_memory() -> None:
    """Let this process give large blocks back and its threads share heaps; does nothing outside Linux's glibc.

    To be called before threads are started.
    """
    _set({_M_MMAP_THRESHOLD: _SERVER_BLOCK_MAX, _M_ARENA_MAX: _SERVER_ARENAS})


def _set(options: Mapping[int, int]) -> None:
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in options.items():
            mallopt(option, value)


def restart_with_malloc_settings(arguments: Sequence[str]) -> None:
    """Replace this process by `python -m fer_core ARGUMENTS` with the thresholds raised; the pid stays.

    Does nothing where that has happened already, where any of them is set by hand, or outside Linux.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in MALLOC_SETTINGS):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", "fer_core", *arguments], {**os.environ, **MALLOC_SETTINGS})


def has_malloc_settings() -> bool:
    """Whether this process was started with raised thresholds."""
    return all(name in os.environ for name in MALLOC_SETTINGS)
