"""Label files inside a source: read as text or as a table, without holding more of them than is needed."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from typing import IO

import pandas as pd

from fer_core.data.source import Source
from fer_core.errors import LabelFileError

_ROWS_AT_ONCE = 20_000
_EDGE_MAX_PX = 2**31 - 1


def opened(source: Source, name: str) -> IO[bytes]:
    """A label file to read from; one on disk is not read into memory whole.

    Raises:
        DatasetError: it is not there.
    """
    place = source.locate(name)
    if place.packed < 0:
        try:
            return open(place.path, "rb")  # noqa: PTH123
        except OSError as exc:
            raise LabelFileError(f"{name} can't be read: {exc.strerror}.") from exc
    return io.BytesIO(source.read(name))


def text_lines(source: Source, name: str) -> Iterator[str]:
    """The lines of a UTF-8 text file.

    Raises:
        LabelFileError: it is not UTF-8.
    """
    with opened(source, name) as file, io.TextIOWrapper(file, encoding="utf-8-sig") as text:
        try:
            yield from text
        except UnicodeDecodeError as exc:
            raise LabelFileError(f"{name} is not UTF-8 text.") from exc


def table_chunks(
    source: Source,
    name: str,
    *,
    separator: str = ",",
    names: Sequence[str] = (),
    columns: Sequence[str] = (),
    rows_at_once: int = _ROWS_AT_ONCE,
) -> Iterator[pd.DataFrame]:
    """A CSV or Parquet file some rows at a time; every value is text, "" where there is none.

    Args:
        separator: of the CSV; a space stands for any run of blanks.
        names: the columns of a file that has no header.
        columns: those wanted; all by default.
        rows_at_once: fewer where a row is long.
    Raises:
        LabelFileError: it is no such file, or lacks a column.
    """
    with opened(source, name) as file:
        chunks = (
            _parquet(file, rows_at_once)
            if name.lower().endswith(".parquet")
            else _csv(file, separator, names, rows_at_once)
        )
        try:
            for chunk in chunks:
                if missing := [column for column in columns if column not in chunk.columns]:
                    raise LabelFileError(
                        f"{name} has no column {missing[0]!r}. Its columns are: {', '.join(map(str, chunk.columns))}."
                    )
                yield chunk[list(columns)] if columns else chunk
        except (ValueError, OSError, pd.errors.ParserWarning) as exc:
            raise LabelFileError(f"{name} can't be read as a table: {exc}") from exc


def face_box(left: float, top: float, right: float, bottom: float) -> tuple[int, int, int, int]:
    """A face's edges in whole pixels.

    Raises:
        ValueError: one is not finite, or too large to be an edge.
    """
    edges = (left, top, right, bottom)
    if not all(abs(edge) <= _EDGE_MAX_PX for edge in edges):
        raise ValueError(f"{edges} is no box")
    return round(left), round(top), round(right), round(bottom)


def _csv(file: IO[bytes], separator: str, names: Sequence[str], rows_at_once: int) -> Iterator[pd.DataFrame]:
    reader = pd.read_csv(
        file,
        sep=r"\s+" if separator == " " else separator,
        header=None if names else "infer",
        names=list(names) or None,
        dtype=str,
        keep_default_na=False,
        encoding="utf-8-sig",
        chunksize=rows_at_once,
        index_col=False,
    )
    while True:
        with warnings.catch_warnings():  # pandas drops what a row has too much, which may be its label
            warnings.simplefilter("error", pd.errors.ParserWarning)
            chunk = next(reader, None)
        if chunk is None:
            return
        yield chunk.rename(columns=lambda column: str(column).strip())


def _parquet(file: IO[bytes], rows_at_once: int) -> Iterator[pd.DataFrame]:
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(file).iter_batches(batch_size=rows_at_once):
        frame = batch.to_pandas(integer_object_nulls=True)  # or 3 becomes 3.0 where another row has none
        yield frame.astype(object).where(frame.notna(), "").astype(str)
