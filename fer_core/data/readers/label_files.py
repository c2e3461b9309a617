"""Label files of a source, read as text lines or in chunks of a table."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import IO

import pandas as pd

from fer_core.data.readers.delimited import (
    Dialect,
    NotTextError,
    detect_dialect,
    detect_encoding,
    find_fault,
    normalize_decimal,
    read_delimited_chunks,
)
from fer_core.data.sources.source import Source
from fer_core.errors import LabelFileError

_ROWS_AT_ONCE = 20_000
_TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".lst")
_ENCODING_TITLES = {"cp1252": "Windows-1252 (Latin-1)"}
_EDGE_MAX_PX = 2**31 - 1


def open_label_file(source: Source, name: str) -> IO[bytes]:
    """Open a label file; one on disk is not read into memory.

    Raises:
        DatasetError: it does not exist.
    """
    byte_range = source.locate(name)
    if byte_range.packed < 0:
        try:
            return open(byte_range.path, "rb")  # noqa: PTH123
        except OSError as exc:
            raise LabelFileError(f"{name} can't be read: {exc.strerror}.") from exc
    return io.BytesIO(source.read(name))


def read_lines(source: Source, name: str) -> Iterator[str]:
    """Yield the lines of a text file.

    Raises:
        LabelFileError: the encoding is not supported.
    """
    encoding = _detect_encoding(source, name)
    with open_label_file(source, name) as file, io.TextIOWrapper(file, encoding=encoding) as text:
        yield from text


def assumed_encodings(source: Source, names: Sequence[str]) -> dict[str, str]:
    """Find the text files among label files that are not Unicode, with the encoding that they are read as.

    Raises:
        LabelFileError: one is not text.
    """
    assumed = {}
    for name in names:
        if name.lower().endswith(_TEXT_SUFFIXES):
            encoding = _detect_encoding(source, name)
            if not encoding.startswith("utf"):
                assumed[name] = _ENCODING_TITLES.get(encoding, encoding)
    return assumed


def _detect_encoding(source: Source, name: str) -> str:
    with open_label_file(source, name) as file:
        try:
            return detect_encoding(file)
        except NotTextError as exc:
            raise _encoding_error(name, exc) from exc


def detect_file_dialect(source: Source, name: str, n_columns: int = 0) -> Dialect:
    """Detect the dialect of a label file; see `detect_dialect`.

    Raises:
        LabelFileError: it is not text.
    """
    with open_label_file(source, name) as file:
        return _dialect(file, name, "", n_columns)


def read_table_chunks(
    source: Source,
    name: str,
    *,
    separator: str = "",
    names: Sequence[str] = (),
    columns: Sequence[str] = (),
    numbers: Sequence[str] = (),
    rows_at_once: int = _ROWS_AT_ONCE,
) -> Iterator[pd.DataFrame]:
    """Read a CSV or Parquet file in chunks of rows; every value is str, "" if missing.

    Args:
        separator: that of a CSV file, detected by default; a space stands for any whitespace.
        names: column names of a file without a header.
        columns: columns to read; all by default.
        numbers: columns whose decimal commas are converted to points.
    Raises:
        LabelFileError: the file can't be read as a table, or lacks a column.
    """
    with open_label_file(source, name) as file:
        try:
            if name.lower().endswith(".parquet"):
                chunks = _parquet(file, rows_at_once)
            else:
                dialect = _dialect(file, name, separator, len(names))
                _check_header(name, names or dialect.header, columns)
                separator = dialect.separator
                chunks = read_delimited_chunks(file, dialect, names, rows_at_once)
            for chunk in chunks:
                if missing := [column for column in columns if column not in chunk.columns]:
                    raise LabelFileError(
                        f"{name} has no column {missing[0]!r}. Its columns are: {', '.join(map(str, chunk.columns))}."
                    )
                for column in numbers:
                    chunk[column] = chunk[column].map(lambda text: normalize_decimal(text, separator))
                yield chunk[list(columns)] if columns else chunk
        except (ValueError, OSError, pd.errors.ParserWarning) as exc:
            raise LabelFileError(f"{name} can't be read as a table: {_explain(source, name, separator, exc)}") from exc


def parse_box(left: float, top: float, right: float, bottom: float) -> tuple[int, int, int, int]:
    """Round a face box to whole pixels.

    Raises:
        ValueError: an edge is not finite or too large.
    """
    edges = (left, top, right, bottom)
    if not all(abs(edge) <= _EDGE_MAX_PX for edge in edges):
        raise ValueError(f"{edges} is not a box")
    return round(left), round(top), round(right), round(bottom)


def _dialect(file: IO[bytes], name: str, separator: str, n_columns: int) -> Dialect:
    try:
        return detect_dialect(file, separator, n_columns)
    except NotTextError as exc:
        raise _encoding_error(name, exc) from exc


def _encoding_error(name: str, exc: NotTextError) -> LabelFileError:
    return LabelFileError(f"{name} can't be read as text: {exc}. Save it as UTF-8; in Excel: CSV UTF-8.")


def _explain(source: Source, name: str, separator: str, exc: Exception) -> str:
    """Say in which row a table is broken, and how to mend it."""
    if name.lower().endswith(".parquet"):
        return f"it is damaged or not a Parquet file ({str(exc).rstrip('.')}). Write it again."
    with open_label_file(source, name) as file:
        fault = find_fault(file, detect_dialect(file, separator))
    return fault or f"{str(exc).rstrip('.')}. Save it again as CSV UTF-8."


def _check_header(name: str, header: Sequence[str], columns: Sequence[str]) -> None:
    """Refuse an empty table, and one that has a column twice, of which pandas would take the first."""
    if not header:
        raise LabelFileError(f"{name} is empty. Give a table with one row per image.")
    repeated = [column for column, n in Counter(header).items() if n > 1 and column in columns]
    if repeated:
        raise LabelFileError(f"{name} has several columns named {repeated[0]!r}. Rename all but one of them.")


def _parquet(file: IO[bytes], rows_at_once: int) -> Iterator[pd.DataFrame]:
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(file).iter_batches(batch_size=rows_at_once):
        frame = batch.to_pandas(integer_object_nulls=True)  # 3 would become 3.0 beside a missing value
        yield frame.astype(object).where(frame.notna(), "").astype(str)
