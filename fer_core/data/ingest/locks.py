"""Locks of imports: two processes never index the same files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fer_core.errors import DatasetError

LOCK = ".lock"
"""The file in an import's folder that is locked."""


@contextmanager
def lock_import(folder: Path) -> Iterator[None]:
    """Hold the lock of an import.

    Raises:
        DatasetError: another process holds it, or the import does not exist any more.
    """
    if not folder.is_dir():
        raise DatasetError(f"There is no unfinished import {folder.name!r}.")
    busy = f"The import {folder.name!r} is already running. Wait for it, or cancel its job."
    with lock_file(folder / LOCK, busy):
        yield


@contextmanager
def lock_file(path: Path, busy: str, wait_s: float = 0) -> Iterator[None]:
    """Hold a lock file.

    Raises:
        DatasetError: another process holds it, for longer than `wait_s`; the message is `busy`.
    """
    lock = FileLock(path, timeout=wait_s)
    try:
        lock.acquire()
    except Timeout:
        raise DatasetError(busy) from None
    try:
        yield
    finally:
        lock.release()
