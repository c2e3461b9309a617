"""Locks for files that several processes change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fer_core.errors import InputError

_TIMEOUT_S = 30.0


@contextmanager
def locked_for_update(path: Path, name: str, error: type[InputError]) -> Iterator[None]:
    """Lock a file between threads and processes while it is read, changed and written.

    Args:
        name: the file's content in messages.
        error: type of the error if the lock is not free in time or the file can't be written.
    """
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_TIMEOUT_S):
            yield
    except Timeout:
        raise error(f"{name} have been locked by another change for {_TIMEOUT_S:g} s. Try again later.") from None
    except OSError as exc:
        raise error(
            f"{name} were not saved: {path} can't be written ({exc.strerror}). Check who may write there, and that the "
            "disk is not full."
        ) from exc
