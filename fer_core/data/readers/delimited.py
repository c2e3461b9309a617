"""Delimited text files: detection of encoding and separator, and reading in chunks."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO

import pandas as pd

SEPARATORS = (",", ";", "\t", "|")
"""Separators that are detected; a space must be chosen."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK_BYTES = 2**20
_HEAD_CHARACTERS = 2**18
_HEAD_ROWS = 100
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n')
"""A line before the header with which Excel states the separator."""

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text file was written.

    Attributes:
        encoding: Python's name of the encoding.
        separator: one of `SEPARATORS`, or a space for any whitespace.
        header: the stripped cells of the first row; () if the file is empty.
        has_separator_line: whether the first line only states the separator.
    """

    encoding: str
    separator: str
    header: tuple[str, ...]
    has_separator_line: bool = False


def detect_encoding(file: IO[bytes]) -> str:
    """Detect the encoding: by byte order mark, else UTF-8 if the whole file is valid, else Windows-1252.

    The file is rewound.

    Raises:
        UnicodeDecodeError: it is none of these.
    """
    head = file.read(4)
    file.seek(0)
    marked = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if head.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as exc:
            error = exc
        else:
            return encoding
        finally:
            file.seek(0)
    raise error


def detect_dialect(file: IO[bytes], separator: str = "", n_columns: int = 0) -> Dialect:
    """Detect the dialect of a delimited text file. The file is rewound.

    Args:
        separator: "" to detect it.
        n_columns: number of columns; 0 if it is not known.
    Raises:
        UnicodeDecodeError: the encoding is not supported.
    """
    encoding = detect_encoding(file)
    decoder = codecs.getincrementaldecoder(encoding)()
    head = decoder.decode(file.read(_HEAD_CHARACTERS))
    file.seek(0)
    separator_line = _SEPARATOR_LINE.match(head)
    if separator_line:
        head = head[separator_line.end() :]
        separator = separator or separator_line[1]
    separator = separator or max(SEPARATORS, key=lambda each: _score_separator(head, each, n_columns))
    rows = _parse_rows(head, separator, 1)
    header = tuple(cell.strip() for cell in rows[0]) if rows else ()
    return Dialect(encoding, separator, header, separator_line is not None)


def read_delimited_chunks(
    file: IO[bytes], dialect: Dialect, names: Sequence[str], rows_at_once: int
) -> Iterator[pd.DataFrame]:
    """Read delimited text in chunks of rows; every value is str, "" if missing.

    Args:
        names: column names of a file without a header.
    Raises:
        ValueError: it can't be parsed; pandas says why.
        ParserWarning: a row has more values than there are columns.
    """
    with io.TextIOWrapper(file, encoding=dialect.encoding, newline="") as text:
        if dialect.has_separator_line:
            text.readline()
        reader = pd.read_csv(
            text,
            sep=r"\s+" if dialect.separator == " " else dialect.separator,
            header=None if names else "infer",
            names=list(names) or None,
            dtype=str,
            keep_default_na=False,
            chunksize=rows_at_once,
            index_col=False,
        )
        while True:
            with warnings.catch_warnings():  # pandas would drop surplus values of a row
                warnings.simplefilter("error", pd.errors.ParserWarning)
                chunk = next(reader, None)
            if chunk is None:
                return
            yield chunk.rename(columns=lambda column: str(column).strip())


def normalize_decimal(text: str, separator: str = "") -> str:
    """Convert a number to a decimal point: 0,53 becomes 0.53; 1.234,5 and 1,234.5 become 1234.5.

    Args:
        separator: that of the table. If it is a comma, 1,234 has a thousands separator.
    """
    if "," not in text:
        return text
    text = text.strip()
    if text.rfind(".") > text.rfind(",") or (separator == "," and _THOUSANDS.fullmatch(text)):
        return text.replace(",", "")
    return text.replace(".", "").replace(",", ".")


def _score_separator(head: str, separator: str, n_columns: int) -> tuple[float, int]:
    """Return the share of rows with `n_columns` cells, by default as many as the first row, and that number."""
    rows = _parse_rows(head, separator, _HEAD_ROWS)
    n_columns = n_columns or (len(rows[0]) if rows else 0)
    if n_columns < 2:
        return 0.0, 0
    return sum(len(row) == n_columns for row in rows) / max(1, len(rows)), n_columns


def _parse_rows(head: str, separator: str, rows_max: int) -> list[list[str]]:
    """Parse the first rows of a text, without a last row that may be cut off."""
    lines = csv.reader(io.StringIO(head, newline=""), delimiter=separator, skipinitialspace=separator == " ")
    try:
        rows = [row for row in islice(lines, rows_max + 1) if any(map(str.strip, row))]
    except csv.Error:
        return []
    return rows[:rows_max] if len(rows) > rows_max or len(head) < _HEAD_CHARACTERS else (rows[:-1] or rows)
