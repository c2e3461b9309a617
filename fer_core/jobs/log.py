"""Log files of jobs: the output of their processes, attempt after attempt."""

from __future__ import annotations

import codecs
import contextlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from fer_core.jobs.job import Job
from fer_core.settings import Settings
from fer_core.text import shorten

_SEPARATOR = "======== attempt"
_NOTE = "======== note:"
_TAIL_BYTES = 64 * 1024
_ERROR_CHARACTERS = 300


def log_path(settings: Settings, job: Job) -> Path:
    """The file that receives standard output and standard error of a job's process."""
    return settings.logs_dir / f"{job.id}.log"


def open_log(path: Path, job: Job) -> BinaryIO:
    """Open a log for appending and write the header of the attempt."""
    path.parent.mkdir(parents=True, exist_ok=True)
    started = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    log = path.open("ab")
    log.write(f"{_SEPARATOR} {job.attempts}, {started}: {' '.join(job.command_args)} ========\n".encode())
    log.flush()
    return log


def append_note(path: Path, text: str) -> None:
    """Append a line of the supervisor to a job's log; does nothing if the log can't be written."""
    with contextlib.suppress(OSError), path.open("a") as log:
        log.write(f"{_NOTE} {text}\n")


def last_error_line(path: Path) -> str:
    """The last line of the newest attempt that is not a traceback frame, clipped; "" if there is none."""
    last = ""
    for line in _tail(path).splitlines():
        if line.startswith(_SEPARATOR):
            last = ""
        elif line.strip() and not line.startswith(_NOTE) and not _is_frame(line):
            last = line
    return clip_line(last)


def tail_log(path: Path, lines_max: int) -> str:
    """The last lines of a log within its last 64 KiB; "" if there is no log."""
    return "\n".join(_tail(path).splitlines()[-lines_max:])


def follow_log(path: Path, ended: Callable[[], bool], interval_s: float = 0.5) -> Iterator[str]:
    """Yield the content of a log, then what is appended, until `ended` returns True."""
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    offset = 0
    while True:
        last = ended()  # before reading, so that everything written until the end is read
        if path.is_file():
            with path.open("rb") as log:
                log.seek(offset)
                while chunk := log.read(_TAIL_BYTES):
                    offset += len(chunk)
                    if text := decode(chunk):
                        yield text
        if last:
            return
        time.sleep(interval_s)


def clip_line(text: str) -> str:
    """Join `text` to one line and clip it."""
    return shorten(" ".join(text.split()), _ERROR_CHARACTERS, cut="end")


def _is_frame(line: str) -> bool:
    """Whether a line is part of a traceback before its message, which is not indented."""
    return line[0].isspace() or line.startswith("Traceback (most recent call last)")


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _TAIL_BYTES))
            return log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
