"""A pool of processes for decoding images, which for many small files is limited by Python, not by the disk."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait

from fer_core.system.allocator import retain_freed_memory


def process_pool(processes: int) -> ProcessPoolExecutor:
    """Make a pool whose processes end with this one, even when it is killed.

    They are spawned, as a fork would copy locks that threads of this process hold.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=processes, mp_context=context, initializer=_initialize)


def _initialize() -> None:
    """Limit OpenCV to one thread, keep freed memory, and watch the parent process.

    Without `keep_memory` each image would fault its pages in again, and page faults of processes wait for each other.
    """
    import cv2

    retain_freed_memory()
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_with, args=(parent.sentinel,), name="parent-watch", daemon=True).start()


def _exit_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
