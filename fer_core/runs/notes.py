"""Given name, note and tags of a run, `notes.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from fer_core.errors import RunError
from fer_core.files.atomic import write_json
from fer_core.files.lock import locked_for_update
from fer_core.runs.folder import Run

NOTES_FILE = "notes.json"
NOTE_CHARACTERS_MAX = 4_000
TAGS_MAX = 12
TAG_CHARACTERS_MAX = 30

_TAG = re.compile(r"[^\W_][\w.-]*")


@dataclass(frozen=True, slots=True)
class RunNotes:
    """The note, the tags in alphabetical order, when either was changed (UTC in ISO form, "" for never), and the name.

    `title` is "" for an automatic one, see `title.run_title`.
    """

    text: str = ""
    tags: tuple[str, ...] = ()
    saved: str = ""
    title: str = ""


def read_notes(run: Run) -> RunNotes:
    """Read a run's note and tags; empty without a file.

    Raises:
        RunError: the file is damaged or can't be read.
    """
    try:
        content = run.path(NOTES_FILE).read_bytes()
    except FileNotFoundError:
        return RunNotes()
    except OSError as exc:
        raise RunError(f"{NOTES_FILE} of the run {run.id} can't be read: {exc.strerror}.") from exc
    return _parse(content, run)


def write_notes(
    run: Run,
    *,
    text: str | None = None,
    expected_text: str | None = None,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    title: str | None = None,
) -> RunNotes:
    """Change the note, the tags or the name, under a lock; returns the result.

    Args:
        text: the new note; None keeps the note.
        expected_text: the note that was edited; if it has changed meanwhile, nothing is saved.
        add, remove: tags; those that exist already, or do not exist, are ignored.
        title: the new name, checked by `title.rename_run`; None keeps the name.
    Raises:
        RunError: a tag or the note is invalid, the note was changed meanwhile, or the file is damaged or can't be
            written.
    """
    added, removed = [validate_tag(tag) for tag in add], set(remove)
    new_text = None if text is None else _normalize_text(text)

    def change(old: RunNotes) -> RunNotes:
        if expected_text is not None and new_text is not None and old.text not in (expected_text, new_text):
            raise RunError(
                f"The note of the run {run.id} was changed meanwhile, by somebody else or in another window. Nothing "
                "was saved: merge both versions and save again."
            )
        tags = tuple(sorted((set(old.tags) - removed) | set(added)))
        if len(tags) > TAGS_MAX and len(tags) > len(old.tags):
            raise RunError(f"A run has at most {TAGS_MAX} tags and would have {len(tags)}. Remove one first.")
        new_title = old.title if title is None else title
        return replace(old, tags=tags, text=old.text if new_text is None else new_text, title=new_title)

    return _update(run, change)


def validate_tag(tag: str) -> str:
    """Return `tag` if it is a short word in lower case.

    Raises:
        RunError: it is not.
    """
    if len(tag) > TAG_CHARACTERS_MAX:
        raise RunError(f"The tag {tag!r} has {len(tag)} characters; {TAG_CHARACTERS_MAX} are the most.")
    if tag != tag.lower() or not _TAG.fullmatch(tag):
        raise RunError(
            f"{tag!r} can't be a tag. Use one word in lower case: letters, digits, dot, dash and underscore, "
            "beginning with a letter or digit."
        )
    return tag


def _normalize_text(text: str) -> str:
    """Normalize line ends and remove trailing spaces."""
    text = "\n".join(line.rstrip() for line in text.splitlines()).rstrip()
    if len(text) > NOTE_CHARACTERS_MAX:
        raise RunError(f"The note has {len(text):,} characters; {NOTE_CHARACTERS_MAX:,} are the most. Shorten it.")
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise RunError(f"The note is not UTF-8 at character {exc.start + 1}. Type that part again.") from None
    return text


def _update(run: Run, change: Callable[[RunNotes], RunNotes]) -> RunNotes:
    if not run.folder.is_dir():
        raise RunError(f"The run {run.id} was deleted.")
    path = run.path(NOTES_FILE)
    with locked_for_update(path, f"The notes of the run {run.id}", RunError):
        old = read_notes(run)
        new = change(old)
        if new != old:
            new = replace(new, saved=datetime.now(UTC).isoformat(timespec="seconds"))
            write_json(path, asdict(new))
    return new


def _parse(content: bytes, run: Run) -> RunNotes:
    try:
        stored: dict[str, Any] = json.loads(content)
        notes = RunNotes(**{**stored, "tags": tuple(stored.get("tags", ()))})
        not_text = [
            value for value in (notes.text, notes.saved, notes.title, *notes.tags) if not isinstance(value, str)
        ]
        if not_text:
            raise ValueError(f"{not_text[0]!r} is not text")
    except (ValueError, TypeError, AttributeError) as exc:
        raise RunError(
            f"{NOTES_FILE} of the run {run.id} is damaged ({exc}). Restore a copy of the file, or delete it to start "
            "without note and tags."
        ) from exc
    return notes
