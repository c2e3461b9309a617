"""What an import leaves out: how much, why, and a few names, counted before anything is imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from fer_core.errors import DatasetError

EXAMPLES_MAX = 5

UNREAD_MAX_01 = 0.5
"""Share of the images that may be unread or unmatched before an import is refused."""

ARCHIVE_ENDINGS = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".7z", ".rar")
_TABLE_ENDINGS = (".csv", ".tsv", ".parquet", ".xlsx", ".xls", ".lst", ".mat")
_PICTURE_ENDINGS = (
    *(".jfif", ".jpe", ".gif", ".avif", ".heic", ".heif", ".jp2", ".jxl", ".svg", ".psd", ".ico", ".tga", ".webm"),
    *(".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".mp4", ".avi", ".mov", ".mkv", ".wmv"),
)
"""Endings of pictures and videos; those that can be read are told first."""


class SkipReason(StrEnum):
    """Why something is left out."""

    NOT_FOUND = "file_not_found"
    NOT_NAMED = "not_in_labels"
    NO_LABEL = "no_label"
    LABEL_LEFT_OUT = "label_left_out"
    LABELS_DISAGREE = "labels_disagree"
    WITHOUT_IMAGE = "row_without_image"
    ROWS_DISAGREE = "rows_disagree"
    AMBIGUOUS = "name_fits_several_files"
    UNREADABLE = "unreadable"
    NAME = "name_not_utf8"
    OTHER_FORMAT = "format_not_read"
    ARCHIVE = "archive_inside"
    TABLE_NOT_READ = "label_file_not_read"
    OTHER_FILE = "no_image"

    @property
    def is_unusable(self) -> bool:
        """Whether it means images that could not be read or matched, rather than something nobody wants."""
        return self in _UNREAD


_UNREAD = {
    SkipReason.NOT_FOUND,
    SkipReason.AMBIGUOUS,
    SkipReason.NOT_NAMED,
    SkipReason.NO_LABEL,
    SkipReason.UNREADABLE,
    SkipReason.NAME,
    SkipReason.OTHER_FORMAT,
    SkipReason.ARCHIVE,
}

_WORDS = {
    SkipReason.NOT_FOUND: ("row names a file that is not there", "rows name files that are not there"),
    SkipReason.NOT_NAMED: ("image is named by no label file", "images are named by no label file"),
    SkipReason.NO_LABEL: ("image has no label", "images have no label"),
    SkipReason.LABEL_LEFT_OUT: ("image has a label that is left out", "images have a label that is left out"),
    SkipReason.WITHOUT_IMAGE: ("row is meant to have no image", "rows are meant to have no image"),
    SkipReason.LABELS_DISAGREE: ("image has two labels that disagree", "images have two labels that disagree"),
    SkipReason.ROWS_DISAGREE: ("image has rows whose labels disagree", "images have rows whose labels disagree"),
    SkipReason.AMBIGUOUS: ("row names a file that could be several", "rows name files that could be several"),
    SkipReason.UNREADABLE: ("image can't be opened", "images can't be opened"),
    SkipReason.NAME: (
        "image has a name that is not UTF-8: rename it",
        "images have names that are not UTF-8: rename them",
    ),
    SkipReason.OTHER_FORMAT: ("picture or video has a format that is not read", "pictures or videos are not read"),
    SkipReason.ARCHIVE: ("archive inside is not opened", "archives inside are not opened"),
    SkipReason.TABLE_NOT_READ: ("other table is not read", "other tables are not read"),
    SkipReason.OTHER_FILE: ("other file is not an image", "other files are not images"),
}


@dataclass(frozen=True, slots=True)
class Skipped:
    """One reason with what it takes away.

    Attributes:
        reason: why.
        count: images, rows or files, as the reason says.
        examples: a few of their names, or the labels.
        detail: more about it in words, or "".
    """

    reason: SkipReason
    count: int
    examples: tuple[str, ...] = ()
    detail: str = ""

    @property
    def text(self) -> str:
        """The reason as a sentence without its examples, such as "24 rows name files that are not there"."""
        one, many = _WORDS[self.reason]
        return f"{self.count:,} {one if self.count == 1 else many}{f' ({self.detail})' if self.detail else ''}"

    def describe(self, examples_max: int = EXAMPLES_MAX) -> str:
        """The reason with a few examples, such as "2 images have no label, such as a.png, b.png"."""
        such = ", ".join(self.examples[:examples_max])
        return f"{self.text}, such as {such}" if such else self.text

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {
            "reason": str(self.reason),
            "count": self.count,
            "unread": self.reason.is_unusable,
            "words": self.text,
            "examples": list(self.examples),
        }


def find_other_files(names: Iterable[str], read: Collection[str]) -> list[Skipped]:
    """The files that are neither images nor label files, by kind.

    Args:
        names: every file of the source.
        read: those that are images, or read for their labels.
    """
    kinds: dict[SkipReason, list[str]] = {}
    for name in names:
        if name not in read:
            kinds.setdefault(_kind(name), []).append(name)
    order = (SkipReason.OTHER_FORMAT, SkipReason.ARCHIVE, SkipReason.TABLE_NOT_READ, SkipReason.OTHER_FILE)
    return [_of_files(reason, kinds[reason]) for reason in order if reason in kinds]


def count_unusable(left_out: Sequence[Skipped]) -> int:
    """How many images could not be read or matched."""
    return sum(each.count for each in left_out if each.reason.is_unusable)


def is_mostly_unusable(left_out: Sequence[Skipped], used: int) -> bool:
    """Whether more could not be read or matched than is used."""
    lost = count_unusable(left_out)
    return lost > UNREAD_MAX_01 * (lost + used)


def check_mostly_usable(left_out: Sequence[Skipped], used: int) -> None:
    """Refuse an import that would leave out most of the images.

    Args:
        left_out: what is left out.
        used: images that are used.
    Raises:
        DatasetError: more than half could not be read or matched; the message says why, with examples.
    """
    if not is_mostly_unusable(left_out, used):
        return
    lost = count_unusable(left_out)
    rest = f" Or import the other {used:,} with --allow-partial." if used else ""
    reasons = "; ".join(each.describe(1) for each in left_out if each.reason.is_unusable)
    raise DatasetError(
        f"{f'Only {used:,}' if used else 'None'} of the {lost + used:,} images can be used: {reasons}. "
        f"Choose another layout or table; datasets preview shows what it would read.{rest}"
    )


def _kind(name: str) -> SkipReason:
    lower = name.lower()
    if lower.endswith(_PICTURE_ENDINGS):
        return SkipReason.OTHER_FORMAT
    if lower.endswith(ARCHIVE_ENDINGS):
        return SkipReason.ARCHIVE
    return SkipReason.TABLE_NOT_READ if lower.endswith(_TABLE_ENDINGS) else SkipReason.OTHER_FILE


def _of_files(reason: SkipReason, names: Sequence[str]) -> Skipped:
    detail = ""
    if reason in (SkipReason.OTHER_FORMAT, SkipReason.OTHER_FILE):
        endings = Counter(PurePosixPath(name).suffix.lower() or "no ending" for name in names)
        detail = ", ".join(f"{ending} {count:,}" for ending, count in endings.most_common(EXAMPLES_MAX))
    return Skipped(reason, len(names), tuple(names[:EXAMPLES_MAX]), detail)
