"""The log of a job: everything its process wrote, its attempts one after the other."""

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
    """Where the standard output and standard error of a job's process go."""
    return settings.logs_dir / f"{job.id}.log"


def open_attempt(path: Path, job: Job) -> BinaryIO:
    """The log, open for appending, after a line that says which attempt begins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    began = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    log = path.open("ab")
    log.write(f"{_SEPARATOR} {job.attempts}, {began}: {' '.join(job.command_args)} ========\n".encode())
    log.flush()
    return log


def note(path: Path, words: str) -> None:
    """Add a line of the supervisor's to a job's log, or let it be where the log can't be written."""
    with contextlib.suppress(OSError), path.open("a") as log:
        log.write(f"{_NOTE} {words}\n")


def last_error_line(path: Path) -> str:
    """The last line of the newest attempt that is no part of a traceback's frames, clipped; "" if there is none."""
    words = ""
    for line in _tail(path).splitlines():
        if line.startswith(_SEPARATOR):
            words = ""
        elif line.strip() and not line.startswith(_NOTE) and not _is_frame(line):
            words = line
    return one_line(words)


def tail_log(path: Path, lines_max: int) -> str:
    """The last lines of a log, "" before there is one; of a very long one, of its last part."""
    return "\n".join(_tail(path).splitlines()[-lines_max:])


def follow(path: Path, ended: Callable[[], bool], look_s: float = 0.5) -> Iterator[str]:
    """What a log holds, and what is added to it until `ended` and all of it was read."""
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    place = 0
    while True:
        last = ended()  # asked before reading, so that what was written before the end is read too
        if path.is_file():
            with path.open("rb") as log:
                log.seek(place)
                while chunk := log.read(_TAIL_BYTES):
                    place += len(chunk)
                    if text := decode(chunk):
                        yield text
        if last:
            return
        time.sleep(look_s)


def one_line(text: str) -> str:
    """`text` on one line and clipped, to be shown beside a job."""
    return shorten(" ".join(text.split()), _ERROR_CHARACTERS, cut="end")


def _is_frame(line: str) -> bool:
    """Tracebacks indent their frames; the message itself begins at the margin."""
    return line[0].isspace() or line.startswith("Traceback (most recent call last)")


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _TAIL_BYTES))
            return log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
