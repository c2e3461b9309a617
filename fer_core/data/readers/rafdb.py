"""Layout "rafdb", RAF-DB's basic set: `list_patition_label.txt` (sic), or one folder per code in Kaggle's copy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fer_core.data.label_mapping.numberings import NUMBERINGS
from fer_core.data.manifest import Manifest
from fer_core.data.readers.file_matcher import FileMatcher
from fer_core.data.readers.file_names import NamePatterns, is_image
from fer_core.data.readers.label_files import read_lines
from fer_core.data.readers.reader import Reader
from fer_core.data.record import SPLIT_NAMES, Record
from fer_core.data.sources.source import Source
from fer_core.errors import LabelFileError

_LISTS = ("list_patition_label.txt", "list_partition_label.txt")
_SAMPLE = 50
_NAME = re.compile(r"(train|test)_\d+(_aligned)?[.]", re.IGNORECASE)
_COVERED_MIN_01 = 0.9
_CODES = NUMBERINGS["rafdb"].codes


def matches(names: Sequence[str]) -> bool:
    """Whether there is the partition list, or images with RAF-DB's names in folders 1 to 7."""
    if _find_list(names) is not None:
        return True
    images = list(filter(is_image, names))
    return bool(images) and sum(map(_in_code_folder, images)) >= _COVERED_MIN_01 * len(images)


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """Yield one record per line, with the aligned face (`train_00001_aligned.jpg`) if it exists; without a list, one
    per image.

    Raises:
        LabelFileError: there is neither list nor class folder, or a line is not a name and a code.
    """
    names = source.names()
    list_name = _find_list(names)
    patterns = NamePatterns(manifest)
    if list_name is None:
        yield from _read_folders(names, patterns)
        return
    lines = [line.split() for line in read_lines(source, list_name) if line.strip()]
    for number, line in enumerate(lines, 1):
        if len(line) != 2:
            raise LabelFileError(f"{list_name}, line {number}: {' '.join(line)!r} is not a name and a code.")
    listed = [name for name, _ in lines]
    aligned = [_aligned_name(name) for name in listed]
    files = FileMatcher(names, aligned, table=list_name)
    if all(files.match(name).problem for name in aligned[:_SAMPLE]):
        files, aligned = FileMatcher(names, listed, table=list_name), listed
    for (name, code), file_name in zip(lines, aligned, strict=True):
        file = files.match(file_name)
        yield Record(
            **file._asdict(),
            split=SPLIT_NAMES.get(name.partition("_")[0].lower()),
            raw_label=code,
            identity=patterns.identity(name),
        )


def _read_folders(names: Sequence[str], patterns: NamePatterns) -> Iterator[Record]:
    images = [name for name in names if is_image(name) and _in_code_folder(name)]
    if not images:
        raise LabelFileError(f"No list was found. The rafdb layout is {READER.description}.")
    for name in images:
        *_, code, file = name.split("/")
        split = SPLIT_NAMES[file.partition("_")[0].lower()]
        yield Record(path=name, split=split, raw_label=code, identity=patterns.identity(name))


def _in_code_folder(name: str) -> bool:
    _, _, inner = name.rpartition("/")
    return bool(_NAME.match(inner)) and name.rpartition("/")[0].rpartition("/")[2] in _CODES


def _find_list(names: Sequence[str]) -> str | None:
    return next((name for name in names if name.rpartition("/")[2].lower() in _LISTS), None)


def _aligned_name(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}_aligned{dot}{suffix}"


READER = Reader(
    layout="rafdb",
    title="RAF-DB",
    description="list_patition_label.txt with a name and a code per line, beside the images (aligned ones are "
    "preferred), or train/5/train_00001_aligned.jpg",
    matches=matches,
    read=read,
    has_repeats=True,
    label_files=lambda names, _: [name for name in (_find_list(names),) if name],
    codes=_CODES,
)
