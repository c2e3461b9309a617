"""Layout "ferplus-csv": FER2013's table with pixels and FER+'s `fer2013new.csv` with ten votes per row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple
from zipfile import ZipFile

import numpy as np

from fer_core.data.manifest import Manifest
from fer_core.data.readers import fer2013, ferplus
from fer_core.data.readers.label_files import read_table_chunks
from fer_core.data.readers.reader import Reader
from fer_core.data.record import SPLIT_NAMES, Record, Split
from fer_core.data.sources.source import Source
from fer_core.data.votes import OUTCOMES, argmax_outcomes
from fer_core.errors import LabelFileError
from fer_core.progress import Progress, no_progress

_VOTES_FILE = fer2013.FERPLUS_VOTES
_FOLDERS = {Split.TRAIN: "FER2013Train", Split.VALID: "FER2013Valid", Split.TEST: "FER2013Test"}
_NAME, _USAGE = "Image name", "Usage"
_BOX = "(0, 0, 48, 48)"


class _Row(NamedTuple):
    """A row of both tables: votes in the file's order; the name is "" if FER+ drops the image."""

    split: Split
    name: str
    votes: list[str]
    pixels: str

    @property
    def folder(self) -> str:
        return _FOLDERS[self.split]


def matches(names: Sequence[str]) -> bool:
    """Whether there are both tables."""
    return len(label_files(names)) == 2


def label_files(names: Sequence[str]) -> list[str]:
    """List FER2013's table and FER+'s votes, as far as they exist."""
    votes = [name for name in names if name.rpartition("/")[2].lower() == _VOTES_FILE]
    table = fer2013.find_table(names)
    return [*([table] if table else []), *votes[:1]]


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """Yield one record per row, with the path at which `write_images` writes its image; "" if FER+ drops it.

    Raises:
        LabelFileError: a table is missing or lacks a column, or the tables have different rows.
    """
    del manifest  # FER+ has votes, not labels to map
    for number, row in enumerate(_rows(source), 2):
        if not row.name:
            yield Record(path="", split=row.split, raw_label="")
            continue
        votes = ferplus.parse_votes(_VOTES_FILE, number, [row.name, _BOX, *row.votes])
        outcome = OUTCOMES[int(argmax_outcomes(np.array([votes]))[0])]
        yield Record(path=f"{row.folder}/{row.name}", split=row.split, raw_label=str(outcome), votes=votes)


def write_images(source: Source, archive: ZipFile, progress: Progress = no_progress) -> None:
    """Write the images as PNG files into FER+'s folders, with the votes beside them, as `ferplus` reads them.

    Raises:
        LabelFileError: as `read`.
    """
    labels = {folder: io.StringIO() for folder in _FOLDERS.values()}
    writers = {folder: csv.writer(text, lineterminator="\n") for folder, text in labels.items()}
    for number, row in enumerate(_rows(source)):
        if row.name:
            archive.writestr(f"{row.folder}/{row.name}", fer2013.encode_png(row.pixels))
            writers[row.folder].writerow([row.name, _BOX, *row.votes])
        if number % 500 == 0:
            progress(0.0, f"Extracted {number:,} images")
    for folder, text in labels.items():
        if text.getvalue():
            archive.writestr(f"{folder}/label.csv", text.getvalue())


def _rows(source: Source) -> Iterator[_Row]:
    files = label_files(source.names())
    if len(files) < 2:
        found = files[0] if files else "neither"
        raise LabelFileError(f"Of fer2013.csv and {_VOTES_FILE}, {found} was found. FER+ needs both, side by side.")
    table, votes_file = files
    for number, (image, votes) in enumerate(
        zip_longest(fer2013.iter_rows(source, table), _iter_votes(source, votes_file)), 2
    ):
        if image is None or votes is None:
            short = table if image is None else votes_file
            raise LabelFileError(
                f"{short} ends before row {number:,} of the other table. The two must have the same rows in the same "
                "order: download both again."
            )
        _, _, usage, pixels = image
        if usage.strip().lower() != votes[_USAGE].strip().lower() or usage.strip().lower() not in SPLIT_NAMES:
            raise LabelFileError(
                f"Row {number:,} is {usage!r} in {table} and {votes[_USAGE]!r} in {votes_file}. The two must have the "
                "same rows in the same order: download both again."
            )
        cells = [votes[name].strip() for name in votes if name not in (_USAGE, _NAME)]
        yield _Row(SPLIT_NAMES[usage.strip().lower()], votes[_NAME].strip(), cells, pixels)


def _iter_votes(source: Source, name: str) -> Iterator[dict[str, str]]:
    for chunk in read_table_chunks(source, name):
        if missing := [column for column in (_USAGE, _NAME) if column not in chunk]:
            raise LabelFileError(f"{name} has no column {missing[0]!r}. FER+'s begins with {_USAGE} and {_NAME}.")
        for row in chunk.to_dict("records"):
            yield {str(column): str(value) for column, value in row.items()}


READER = Reader(
    layout="ferplus-csv",
    title="FER+ (fer2013.csv and fer2013new.csv)",
    description=f"fer2013.csv beside {_VOTES_FILE}, one row per image in both",
    matches=matches,
    read=read,
    label_files=lambda names, _: label_files(names) if matches(names) else [],
    write_images=write_images,
    written_layout="ferplus",
)
