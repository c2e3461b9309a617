"""Processes that share the work on images: decoding many small files is bound by Python itself, not by the disk."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait

from fer_core.system.allocator import retain_freed_memory


def process_pool(processes: int) -> ProcessPoolExecutor:
    """A pool whose processes end with this one, even when it is killed.

    They are started afresh rather than forked: a fork would copy locks that this process's threads hold.
    """
    fresh = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=processes, mp_context=fresh, initializer=_begin)


def _begin() -> None:
    """One thread a process is enough: the processes are the parallelism.

    Without `retain_freed_memory` each image of a size would fault its pages in again, and processes that fault wait for
    each other in the kernel.
    """
    import cv2

    retain_freed_memory()
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), name="parent-watch", daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
