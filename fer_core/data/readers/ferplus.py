"""Layout "ferplus": `FER2013Train/fer0000000.png` beside `FER2013Train/label.csv` with ten crowd votes per row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np

from fer_core.data.manifest import Manifest
from fer_core.data.readers.file_matcher import FileMatcher
from fer_core.data.readers.label_files import detect_file_dialect, read_lines
from fer_core.data.readers.reader import Reader
from fer_core.data.record import SPLIT_NAMES, Record
from fer_core.data.sources.source import Source
from fer_core.data.votes import OUTCOMES, argmax_outcomes
from fer_core.errors import LabelFileError
from fer_core.labels import Expression

LOOKS_LIKE = "FER2013Train/label.csv (and FER2013Valid, FER2013Test) beside the PNG files it names"

_LABEL_FILE = "label.csv"
_FILE_ORDER = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
_COLUMNS = 2 + len(_FILE_ORDER) + 2
_VOTES_MAX = 10_000
_FILE_INDICES = [_FILE_ORDER.index(expression) for expression in Expression] + [8, 9]


def matches(names: Sequence[str]) -> bool:
    """Whether there is a split folder of FER+ with its label file."""
    return any(_split_folder(name) is not None for name in names)


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """Yield the records of every split folder, in the order of the label files.

    Raises:
        LabelFileError: a label file is missing, lacks a column or has a vote that is not a whole number.
    """
    del manifest  # FER+ has votes, not labels to map
    label_files = [name for name in source.names() if _split_folder(name) is not None]
    if not label_files:
        raise LabelFileError(f"No label.csv was found. The ferplus layout is {LOOKS_LIKE}.")
    for name in label_files:
        yield from _read_label_file(source, name)


def _split_folder(name: str) -> str | None:
    path = PurePosixPath(name)
    folder = path.parent.name
    return folder if path.name == _LABEL_FILE and folder.lower() in SPLIT_NAMES else None


def _read_label_file(source: Source, name: str) -> Iterator[Record]:
    folder = PurePosixPath(name).parent
    split = SPLIT_NAMES[folder.name.lower()]
    separator = detect_file_dialect(source, name, n_columns=_COLUMNS).separator
    try:
        lines = csv.reader(read_lines(source, name), delimiter=separator)
        rows = [(line, row) for line, row in enumerate(lines, 1) if row]
    except csv.Error as exc:
        raise LabelFileError(f"{name} is not comma-separated text ({exc}).") from exc
    votes = [parse_votes(name, line, row) for line, row in rows]
    if not votes:
        raise LabelFileError(f"{name} has no rows.")
    listed = [row[0].strip() for _, row in rows]
    files = FileMatcher(source.names(), listed, folder=f"{folder}/")
    outcomes = argmax_outcomes(np.array(votes))
    for file, row_votes, code in zip(map(files.match, listed), votes, outcomes, strict=True):
        yield Record(**file._asdict(), split=split, raw_label=str(OUTCOMES[code]), votes=row_votes)


def parse_votes(name: str, line: int, row: list[str]) -> tuple[int, ...]:
    """Parse a row of a label file (name, box, ten votes) into votes in the order of `VOTE_COLUMNS`.

    Raises:
        LabelFileError: it has another number of columns, or a vote that is not a whole number.
    """
    if len(row) != _COLUMNS:
        raise LabelFileError(
            f"{name}, line {line} has {len(row)} columns; FER+ has {_COLUMNS}: file name, box, eight expressions "
            f"({', '.join(_FILE_ORDER)}), unknown, not a face."
        )
    try:
        in_file_order = [int(value) for value in row[2:]]
    except ValueError:
        raise LabelFileError(f"{name}, line {line} has a vote that is not a whole number: {row[2:]}.") from None
    if min(in_file_order) < 0 or max(in_file_order) > _VOTES_MAX:
        raise LabelFileError(f"{name}, line {line} has a vote below 0 or above {_VOTES_MAX:,}: {row[2:]}.")
    return tuple(in_file_order[index] for index in _FILE_INDICES)


READER = Reader(
    layout="ferplus",
    title="FER+ (votes in label.csv)",
    description=LOOKS_LIKE,
    matches=matches,
    read=read,
    has_repeats=True,
    label_files=lambda names, _: [name for name in names if _split_folder(name) is not None],
)
