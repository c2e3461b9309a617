"""Layout "table": a CSV or Parquet file with one row per image or face, whose columns the user or manifest chooses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import cast

import pandas as pd

from fer_core.data.label_mapping.synonyms import parse_expression_name
from fer_core.data.manifest import Manifest, TableColumns
from fer_core.data.readers.file_matcher import FileMatcher, Match
from fer_core.data.readers.file_names import NamePatterns, is_image, split_from_path
from fer_core.data.readers.label_files import detect_file_dialect, parse_box, read_table_chunks
from fer_core.data.readers.reader import Reader
from fer_core.data.record import SPLIT_NAMES, Record, match_split_name
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError, LabelFileError

_TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")
_OTHER_SUFFIXES = (".txt", ".lst")
_TABLES_MAX = 24
"""Largest number of tables that `choose_columns` reads."""

_SAMPLE = 200
_NO_ROWS = "{table} has a header but no rows. Give a table with one row per image."
_NO_NUMBER = ("", "-", "na", "n/a", "none", "null", "?")
_LABEL_WORDS = ("expression", "emotion", "label", "class", "category", "target")
_PATH_WORDS = ("path", "image", "file", "filename", "name", "img")
_SPLIT_WORDS = ("split", "usage", "partition", "subset", "set", "fold")
_IDENTITY_WORDS = ("identity", "subject", "person", "speaker", "actor", "individual")


def matches(names: Sequence[str]) -> bool:
    """Whether there are a CSV or Parquet file and images."""
    return any(name.lower().endswith(_TABLE_SUFFIXES) for name in names) and any(map(is_image, names))


def find_tables(names: Sequence[str]) -> list[str]:
    """List the files that may be tables."""
    return [name for name in names if name.lower().endswith((*_TABLE_SUFFIXES, *_OTHER_SUFFIXES))]


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """Yield one record per row.

    Raises:
        LabelFileError: the columns were not chosen, the file does not exist, or it lacks a column.
    """
    columns = manifest.columns
    if columns is None:
        raise LabelFileError("The layout 'table' needs the columns of path and label. Choose them.")
    patterns = NamePatterns(manifest)
    for table in resolve_tables(source.names(), columns):
        yield from _read_table(source, table, columns, patterns)


def _read_table(source: Source, table: str, columns: TableColumns, patterns: NamePatterns) -> Iterator[Record]:
    names = source.names()
    split = match_split_name(PurePosixPath(table).stem) if columns.tables and not columns.split else None
    if split:  # train.csv and test.csv may both list a 1.jpg
        names = [name for name in names if split_from_path(name) in (None, split)]
    folder = columns.folder.rstrip("/") + "/" if columns.folder else None
    files: FileMatcher | None = None
    n_rows = 0
    for chunk in read_table_chunks(
        source,
        table,
        separator=columns.separator,
        names=columns.names,
        columns=list(dict.fromkeys(_used_columns(columns))),
        numbers=_numeric_columns(columns),
    ):
        files = files or FileMatcher(names, chunk[columns.path], table=table, folder=folder)
        n_rows += len(chunk)
        for row in cast(list[dict[str, str]], chunk.to_dict("records")):
            record = _record(files.match(row[columns.path].strip()), row, columns, patterns, table)
            yield replace(record, split=split) if split else record
    if not n_rows:
        raise LabelFileError(_NO_ROWS.format(table=table))


def resolve_tables(names: Sequence[str], columns: TableColumns) -> list[str]:
    """Find the tables that the columns refer to.

    Raises:
        LabelFileError: as `resolve_table`.
    """
    chosen = [columns.model_copy(update={"table": table}) for table in columns.tables] or [columns]
    return [resolve_table(names, each) for each in chosen]


def resolve_table(names: Sequence[str], columns: TableColumns) -> str:
    """Find the table that the columns refer to.

    Raises:
        LabelFileError: there is none of that name, or there are several and none was chosen.
    """
    found = find_tables(names)
    if columns.table:
        fitting = [name for name in found if name == columns.table or name.endswith(f"/{columns.table}")]
    else:
        fitting = found
    if len(fitting) == 1:
        return fitting[0]
    expected = repr(columns.table) if columns.table else "only one"
    raise LabelFileError(f"Of the tables {', '.join(found[:5]) or '(none)'}, {expected} was expected. Name the table.")


def guess_columns(source: Source, table: str = "") -> TableColumns:
    """Guess the columns of a table from its header and first rows; the user should check them.

    Args:
        table: the file's name; the first table by default.
    Raises:
        LabelFileError: there is no table, it can't be read as one, or has fewer than two columns.
    """
    found = find_tables(source.names())
    if not found:
        raise LabelFileError("There is no CSV or Parquet file in the source. Choose another layout.")
    table = table or next((name for name in found if name.lower().endswith(_TABLE_SUFFIXES)), found[0])
    dialect = None if table.lower().endswith(".parquet") else detect_file_dialect(source, table)
    header, separator = (dialect.header, dialect.separator) if dialect else ((), "")
    # A "header" that names an image is the first row of a table without a header.
    names = tuple(f"column {number + 1}" for number in range(len(header))) if any(map(is_image, header)) else ()
    head = next(read_table_chunks(source, table, separator=separator, names=names), pd.DataFrame()).head(_SAMPLE)
    columns = [str(column) for column in head.columns]
    if len(columns) < 2:
        present = f"has only the column {columns[0]!r}" if columns else "has no columns"
        raise LabelFileError(
            f"{table} has fewer than two columns: it {present}, but a path and a label are needed. Separate columns by "
            "comma, semicolon, tab or |."
        )
    if head.empty:
        raise LabelFileError(_NO_ROWS.format(table=table))
    images = [column for column in columns if head[column].map(is_image).mean() > 0.9]
    path = next(iter(images), None) or _by_word(columns, _PATH_WORDS) or columns[0]
    others = [column for column in columns if column != path]
    label = _by_word(others, _LABEL_WORDS) or _by_expressions(head[others]) or others[0]
    others.remove(label)
    return TableColumns(
        table=table,
        separator=separator,
        names=names,
        path=path,
        label=label,
        split=_by_word(others, _SPLIT_WORDS) or "",
        identity=_by_word(others, _IDENTITY_WORDS) or "",
        valence=_by_word(others, ("valence",)) or "",
        arousal=_by_word(others, ("arousal",)) or "",
    )


def read_column_names(source: Source, table: str) -> list[str]:
    """Read the column names of a table.

    Raises:
        LabelFileError: it can't be read as a table.
    """
    head = next(read_table_chunks(source, table), pd.DataFrame())
    return [str(column) for column in head.columns]


def choose_columns(source: Source) -> TableColumns:
    """Guess the columns of the table that labels the most images; the user should check them.

    Tables with the same columns, such as train.csv and test.csv, are read together where that labels more images.

    Raises:
        LabelFileError: there is no table, or none can be read.
    """
    names = [name for name in find_tables(source.names()) if name.lower().endswith(_TABLE_SUFFIXES)][:_TABLES_MAX]
    guesses = [guess for name in names if (guess := _try_guess_columns(source, name))]
    if len(guesses) < 2:
        return guesses[0] if guesses else guess_columns(source)
    n_labeled = {guess.table: _count_labeled(source, guess) for guess in guesses}
    best = max(guesses, key=lambda guess: n_labeled[guess.table])
    similar = tuple(guess.table for guess in guesses if guess == best.model_copy(update={"table": guess.table}))
    together = best.model_copy(update={"table": "", "tables": similar})
    return together if len(similar) > 1 and _count_labeled(source, together) > n_labeled[best.table] else best


def _try_guess_columns(source: Source, table: str) -> TableColumns | None:
    try:
        return guess_columns(source, table)
    except DatasetError:
        return None


def _count_labeled(source: Source, columns: TableColumns) -> int:
    """Count the existing images that a table labels; 0 if it can't be read."""
    manifest = Manifest(id="any", title="", summary="", license="", layout="table", columns=columns)
    try:
        return len({record.path for record in read(source, manifest) if record.raw_label and not record.problem})
    except DatasetError:
        return 0


def _by_word(columns: Sequence[str], words: Sequence[str]) -> str | None:
    """Find the first column that is one of the words, else the first that contains one."""
    lowered = {column.lower(): column for column in reversed(columns)}
    for word in words:
        if word in lowered:
            return lowered[word]
    return next((column for word in words for column in columns if word in column.lower()), None)


def _by_expressions(head: pd.DataFrame) -> str | None:
    """Find the first column whose values mostly name expressions."""
    for name in head.columns:
        if head[name].map(lambda text: parse_expression_name(text) is not None).mean() > 0.5:
            return str(name)
    return None


def _numeric_columns(columns: TableColumns) -> list[str]:
    return [name for name in (columns.valence, columns.arousal, *(columns.box or ())) if name]


def _used_columns(columns: TableColumns) -> list[str]:
    single = (columns.path, columns.label, columns.split, columns.identity, *_numeric_columns(columns))
    return [name for name in (*single, *columns.subgroups) if name]


def _record(file: Match, row: dict[str, str], columns: TableColumns, patterns: NamePatterns, table: str) -> Record:
    path = "" if file.problem else file.path  # names of files that exist were checked against slow patterns
    try:
        return Record(
            **file._asdict(),
            split=SPLIT_NAMES.get(row[columns.split].strip().lower()) if columns.split else None,
            raw_label=row[columns.label].strip(),
            identity=(row[columns.identity] or None) if columns.identity else patterns.identity(path),
            valence=_number(row, columns.valence),
            arousal=_number(row, columns.arousal),
            box=_box(row, columns),
            subgroups=(*((name, row[name]) for name in columns.subgroups if row[name]), *patterns.subgroups(path)),
        )
    except (ValueError, OverflowError) as exc:
        raise LabelFileError(f"{table}, the row of {row[columns.path]!r}: {exc}. A number was expected.") from exc


def _number(row: dict[str, str], column: str) -> float | None:
    if not column or row[column].strip().lower() in _NO_NUMBER:
        return None
    value = float(row[column])
    return None if math.isnan(value) else value


def _box(row: dict[str, str], columns: TableColumns) -> tuple[int, int, int, int] | None:
    if columns.box is None:
        return None
    left, top, right, bottom = (float(row[name]) for name in columns.box)
    return parse_box(left, top, right, bottom)


READER = Reader(
    layout="table",
    title="A table (CSV or Parquet)",
    description="a CSV or Parquet file with one row per image, beside the images; you choose its columns",
    matches=matches,
    read=read,
    has_repeats=True,
    label_files=lambda names, manifest: resolve_tables(names, manifest.columns) if manifest.columns else [],
)
