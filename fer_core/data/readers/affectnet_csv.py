"""Layout "affectnet-csv": AffectNet's CSV files with path, face box, 68 landmarks, expression, valence and arousal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from fer_core.data.label_mapping.numberings import NUMBERINGS
from fer_core.data.manifest import Manifest
from fer_core.data.readers.affectnet_npy import UNLABELED_CODES
from fer_core.data.readers.file_matcher import FileMatcher, Match
from fer_core.data.readers.file_names import is_image
from fer_core.data.readers.label_files import parse_box, read_table_chunks
from fer_core.data.readers.reader import Reader
from fer_core.data.record import MISSING_AFFECT, SPLIT_NAMES, Record
from fer_core.data.sources.source import Source
from fer_core.errors import LabelFileError

_BOX, _AFFECT = ("face_x", "face_y", "face_width", "face_height"), ("valence", "arousal")
_COLUMNS = ("subDirectory_filePath", *_BOX, "facial_landmarks", "expression", *_AFFECT)
_TABLES = ("training.csv", "validation.csv", "automatically_annotated.csv")


def matches(names: Sequence[str]) -> bool:
    """Whether there are one of AffectNet's tables and images."""
    return bool(_tables(names)) and any(is_image(name) for name in names)


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """Yield one record per row, with its face box.

    Raises:
        LabelFileError: there is no such table, it lacks a column, or a value is not a number.
    """
    del manifest  # the layout has fixed label codes
    names = source.names()
    tables = _tables(names)
    if not tables:
        raise LabelFileError(f"No table was found. The affectnet-csv layout is {READER.description}.")
    for table in tables:
        split = SPLIT_NAMES.get(PurePosixPath(table).stem.lower())
        files: FileMatcher | None = None
        for chunk in read_table_chunks(source, table, columns=_COLUMNS, numbers=(*_BOX, *_AFFECT)):
            files = files or FileMatcher(names, chunk[_COLUMNS[0]], table=table)
            for row in chunk.itertuples(index=False):
                yield _record(files.match(row[0]), split, row, table)


def _tables(names: Sequence[str]) -> list[str]:
    return [name for name in names if name.rpartition("/")[2].lower() in _TABLES]


def _record(file: Match, split: object, row: tuple[str, ...], table: str) -> Record:
    path, *box, landmarks, label, valence, arousal = row
    try:
        left, top, width, height = (float(edge) for edge in box)
        points = tuple(float(number) for number in landmarks.split(";")) if landmarks.strip() else None
        return Record(
            **file._asdict(),
            split=split,  # type: ignore[arg-type]
            raw_label=label.strip(),
            valence=_affect(valence),
            arousal=_affect(arousal),
            box=parse_box(left, top, left + width, top + height),
            landmarks=points,
        )
    except (ValueError, OverflowError) as exc:
        raise LabelFileError(f"{table}, the row of {path!r}: {exc}. AffectNet's values are numbers.") from exc


def _affect(text: str) -> float | None:
    value = float(text) if text.strip() else MISSING_AFFECT
    return None if value <= MISSING_AFFECT else value


READER = Reader(
    layout="affectnet-csv",
    title="AffectNet (training.csv, validation.csv)",
    description="training.csv and validation.csv with the column subDirectory_filePath, beside the images they name",
    matches=matches,
    read=read,
    has_repeats=True,
    label_files=lambda names, _: _tables(names),
    codes=NUMBERINGS["affectnet"].codes,
    unlabeled=UNLABELED_CODES,
)
