"""Append-only log of corrections, `corrections.jsonl`: one change on each line, numbered from 1.

An incomplete last line, left by a crash, is ignored and overwritten.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from fer_core.errors import DatasetError
from fer_core.files.atomic import write_bytes
from fer_core.files.lock import locked_for_update
from fer_core.files.migration import CORRECTION_ACTIONS

CORRECTIONS_FILE = "corrections.jsonl"
_OLD_FILE = "overlay.jsonl"


class Action(StrEnum):
    """What a change does: `restore` removes all marks of its images, `undo` reverts an earlier change."""

    EXCLUDE = "exclude"
    RELABEL = "relabel"
    AMBIGUOUS = "ambiguous"
    RESTORE = "restore"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the log.

    Attributes:
        time: UTC in ISO form.
        label: the new expression of a `RELABEL`.
        undoes: the version that an `UNDO` reverts; else 0.
        undone: whether a later change reverts this one; not in the file.
        raw: the line that was read; in the log of an earlier version of the program it has other names.
    """

    version: int
    time: str
    action: Action
    ids: tuple[str, ...] = ()
    label: str = ""
    reason: str = ""
    note: str = ""
    undoes: int = 0
    undone: bool = False
    raw: bytes = field(default=b"", repr=False, compare=False)

    def to_json_line(self) -> bytes:
        """Return the line that was read, or encode a new change without its empty fields."""
        if self.raw:
            return self.raw
        values = {name: value for name, value in asdict(self).items() if value and name != "undone"}
        return json.dumps(values, separators=(",", ":")).encode() + b"\n"


Changes = tuple[Change, ...]
"""All changes, from version 1 on."""


def read_changes(folder: Path) -> Changes:
    """Read all changes to the dataset in `folder`.

    Raises:
        DatasetError: the file is damaged or can't be read.
    """
    path = _path(folder)
    try:
        return _read(path)[0]
    except OSError as exc:
        raise DatasetError(f"{path} can't be read: {exc.strerror}.") from exc


def append_change(folder: Path, make_change: Callable[[Changes], Change]) -> Changes:
    """Append one change under a lock between threads and processes, and return all changes.

    Args:
        make_change: makes the change from all earlier ones. If it raises, the file stays as it was.
    Raises:
        DatasetError: the file is damaged or can't be written.
    """
    if not folder.is_dir():
        raise DatasetError(f"The dataset folder {folder} is gone. Import the dataset again.")
    path = _path(folder)
    with locked_for_update(path, f"The corrections of {folder.name}", DatasetError):
        earlier, size = _read(path)
        change = make_change(earlier)
        _write_line(path, size, change.to_json_line())
    return (*earlier, change)


def utc_now() -> str:
    """Return the current time in ISO form."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _path(folder: Path) -> Path:
    """Return the log's path, which has another name if an earlier version of the program began it."""
    old = folder / _OLD_FILE
    return old if old.is_file() else folder / CORRECTIONS_FILE


def _read(path: Path) -> tuple[Changes, int]:
    """Read the changes of a file and their size in bytes, without an incomplete last line."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return (), 0
    *lines, unfinished = content.split(b"\n")
    changes = tuple(_parse(line, version, path) for version, line in enumerate(lines, start=1))
    return changes, len(content) - len(unfinished)


def _parse(line: bytes, version: int, path: Path) -> Change:
    try:
        values: dict[str, Any] = json.loads(line)
        change = Change(
            **{
                **values,
                "action": Action(CORRECTION_ACTIONS.get(values["action"], values["action"])),
                "ids": tuple(values.get("ids", ())),
            },
            raw=line + b"\n",
        )
        if change.version != version or not 0 <= change.undoes < version:
            raise ValueError(f"version {change.version} that undoes {change.undoes}")
    except (ValueError, KeyError, TypeError) as exc:
        raise DatasetError(
            f"Line {version} of {path} is damaged ({exc}). Put a copy of the file back, or delete it to give up every "
            "correction to this dataset."
        ) from exc
    return change


def _write_line(path: Path, size: int, line: bytes) -> None:
    """Write a line after the first `size` bytes and cut off the rest."""
    if not path.exists():
        write_bytes(path, b"")  # atomically, so that the name, too, survives a power failure
    with path.open("r+b") as file:
        file.truncate(size)
        file.seek(size)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
