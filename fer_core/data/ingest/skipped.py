"""Images, rows and files that an import skips: why, how many, and examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from fer_core.errors import DatasetError

EXAMPLES_MAX = 5

_UNUSABLE_MAX_01 = 0.5
"""Largest share of images without a readable file or a label; above it an import is refused."""

ARCHIVE_ENDINGS = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".7z", ".rar")
_TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".xlsx", ".xls", ".lst", ".mat")
_MEDIA_SUFFIXES = (
    *(".jfif", ".jpe", ".gif", ".avif", ".heic", ".heif", ".jp2", ".jxl", ".svg", ".psd", ".ico", ".tga", ".webm"),
    *(".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".mp4", ".avi", ".mov", ".mkv", ".wmv"),
)
"""Suffixes of image and video formats, some of which the decoder does not read."""


class SkipReason(StrEnum):
    """Why an image, row or file is skipped."""

    NOT_FOUND = "file_not_found"
    NOT_NAMED = "not_in_labels"
    NO_LABEL = "no_label"
    LABEL_IGNORED = "label_ignored"
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
        """Whether it is about images that lack a readable file or a label, rather than ones to be ignored."""
        return self in _UNUSABLE


_UNUSABLE = {
    SkipReason.NOT_FOUND,
    SkipReason.AMBIGUOUS,
    SkipReason.NOT_NAMED,
    SkipReason.NO_LABEL,
    SkipReason.UNREADABLE,
    SkipReason.NAME,
    SkipReason.OTHER_FORMAT,
    SkipReason.ARCHIVE,
}

_TEXTS = {
    SkipReason.NOT_FOUND: ("row names a file that does not exist", "rows name files that do not exist"),
    SkipReason.NOT_NAMED: ("image is in no label file", "images are in no label file"),
    SkipReason.NO_LABEL: ("image has no label", "images have no label"),
    SkipReason.LABEL_IGNORED: ("image has a label that is ignored", "images have a label that is ignored"),
    SkipReason.WITHOUT_IMAGE: ("row has no image", "rows have no image"),
    SkipReason.LABELS_DISAGREE: ("image has two different labels", "images have two different labels"),
    SkipReason.ROWS_DISAGREE: ("image has rows with different labels", "images have rows with different labels"),
    SkipReason.AMBIGUOUS: ("row names a file that matches several", "rows name files that match several"),
    SkipReason.UNREADABLE: ("image can't be opened", "images can't be opened"),
    SkipReason.NAME: (
        "image has a name that is not UTF-8: rename it",
        "images have names that are not UTF-8: rename them",
    ),
    SkipReason.OTHER_FORMAT: ("image or video has an unsupported format", "images or videos have unsupported formats"),
    SkipReason.ARCHIVE: ("nested archive is not opened", "nested archives are not opened"),
    SkipReason.TABLE_NOT_READ: ("other table is not read", "other tables are not read"),
    SkipReason.OTHER_FILE: ("other file is not an image", "other files are not images"),
}


@dataclass(frozen=True, slots=True)
class Skipped:
    """One reason for skipping, with how many items it concerns.

    Attributes:
        count: number of images, rows or files, depending on the reason.
        examples: a few of their names, or the labels.
        detail: more information for the message, or "".
    """

    reason: SkipReason
    count: int
    examples: tuple[str, ...] = ()
    detail: str = ""

    @property
    def text(self) -> str:
        """The message without examples, such as "24 rows name files that do not exist"."""
        one, many = _TEXTS[self.reason]
        return f"{self.count:,} {one if self.count == 1 else many}{f' ({self.detail})' if self.detail else ''}"

    def describe(self, examples_max: int = EXAMPLES_MAX) -> str:
        """Format the message with examples: "2 images have no label, such as a.png, b.png"."""
        such = ", ".join(self.examples[:examples_max])
        return f"{self.text}, such as {such}" if such else self.text

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for `--json`."""
        return {
            "reason": str(self.reason),
            "count": self.count,
            "is_unusable": self.reason.is_unusable,
            "text": self.text,
            "examples": list(self.examples),
        }


def find_other_files(names: Iterable[str], read: Collection[str]) -> list[Skipped]:
    """Group the files that are neither images nor label files by kind.

    Args:
        names: every file of the source.
        read: images and label files.
    """
    kinds: dict[SkipReason, list[str]] = {}
    for name in names:
        if name not in read:
            kinds.setdefault(_classify(name), []).append(name)
    order = (SkipReason.OTHER_FORMAT, SkipReason.ARCHIVE, SkipReason.TABLE_NOT_READ, SkipReason.OTHER_FILE)
    return [_summarize(reason, kinds[reason]) for reason in order if reason in kinds]


def count_unusable(skipped: Sequence[Skipped]) -> int:
    """Count the images without a readable file or a label."""
    return sum(each.count for each in skipped if each.reason.is_unusable)


def is_mostly_unusable(skipped: Sequence[Skipped], n_usable: int) -> bool:
    """Whether more images are unusable than usable."""
    n_unusable = count_unusable(skipped)
    return n_unusable > _UNUSABLE_MAX_01 * (n_unusable + n_usable)


def check_mostly_usable(skipped: Sequence[Skipped], n_usable: int) -> None:
    """Refuse an import that would skip most of the images.

    Raises:
        DatasetError: more than half have no readable file or no label; the message gives reasons and examples.
    """
    if not is_mostly_unusable(skipped, n_usable):
        return
    n_unusable = count_unusable(skipped)
    rest = (
        f" Or import the other {n_usable:,}: in the app, continue the import (Datasets, Import, “Not finished”) and "
        "check “Import only the images that can be used”; on the command line, use --allow-partial."
    )
    reasons = "; ".join(each.describe(1) for each in skipped if each.reason.is_unusable)
    raise DatasetError(
        f"{f'Only {n_usable:,}' if n_usable else 'None'} of the {n_unusable + n_usable:,} images can be used: "
        f"{reasons}. Choose another file layout or table; the preview shows what each reads.{rest if n_usable else ''}"
    )


def _classify(name: str) -> SkipReason:
    lower = name.lower()
    if lower.endswith(_MEDIA_SUFFIXES):
        return SkipReason.OTHER_FORMAT
    if lower.endswith(ARCHIVE_ENDINGS):
        return SkipReason.ARCHIVE
    return SkipReason.TABLE_NOT_READ if lower.endswith(_TABLE_SUFFIXES) else SkipReason.OTHER_FILE


def _summarize(reason: SkipReason, names: Sequence[str]) -> Skipped:
    detail = ""
    if reason in (SkipReason.OTHER_FORMAT, SkipReason.OTHER_FILE):
        suffixes = Counter(PurePosixPath(name).suffix.lower() or "without suffix" for name in names)
        detail = ", ".join(f"{count:,} {suffix}" for suffix, count in suffixes.most_common(EXAMPLES_MAX))
    return Skipped(reason, len(names), tuple(names[:EXAMPLES_MAX]), detail)
