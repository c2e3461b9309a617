"""Worker processes for decoding images, which for many small files is limited by Python, not by the disk."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import connection

from fer_core.system.allocator import retain_freed_memory

_CHUNKS_PER_PROCESS = 3
"""Chunks in flight for each process, which bounds memory."""


def run_chunks(
    work: Callable[..., int], chunks: Iterable[tuple[object, ...]], processes: int, on_done: Callable[[int], None]
) -> None:
    """Call `work` with the arguments of each chunk, in worker processes if there are several.

    Args:
        work: returns the number of its rows.
        on_done: called with that number as each chunk is done; if it raises, the remaining chunks are canceled.
    """
    if processes < 2:
        for arguments in chunks:
            on_done(work(*arguments))
        return
    with process_pool(processes) as pool:
        pending: set[Future[int]] = set()

        def wait_for_any() -> None:
            nonlocal pending
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                on_done(future.result())

        try:
            for arguments in chunks:
                pending.add(pool.submit(work, *arguments))
                if len(pending) >= _CHUNKS_PER_PROCESS * processes:
                    wait_for_any()
            while pending:
                wait_for_any()
        except BaseException:  # an interrupt, too, must not leave processes at work; raised again
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def process_pool(processes: int) -> ProcessPoolExecutor:
    """Make a pool whose processes end with this one, even when it is killed.

    They are spawned, as a fork would copy locks that threads of this process hold.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=processes, mp_context=context, initializer=_initialize)


def _initialize() -> None:
    """Limit OpenCV to one thread, keep freed memory, and watch the parent process.

    If memory was not kept, each image would fault its pages in again, and page faults of processes wait for each other.
    """
    import cv2

    retain_freed_memory()
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_with, args=(parent.sentinel,), name="parent-watch", daemon=True).start()


def _exit_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
