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
_SAMPLE_BYTES = 2**12
_HEAD_CHARACTERS = 2**18
_HEAD_ROWS = 100
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n')
"""A line before the header with which Excel states the separator."""

_SIGNATURES = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "a compressed file"),
    (b"%PDF", "a PDF file"),
)
"""First bytes of files that are no text, whatever their names say."""

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")

_ZERO_BYTES_MAX_01 = 0.01


class NotTextError(ValueError):
    """A file is not text in a supported encoding; the message says why, such as "it is a Parquet file"."""


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

    UTF-16 without a mark is detected by the zero bytes of ASCII letters. The file is rewound.

    Raises:
        NotTextError: it is none of these.
    """
    head = file.read(_SAMPLE_BYTES)
    file.seek(0)
    if found := next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None):
        raise NotTextError(f"it is {found}")
    marked = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if head.startswith(mark)), None)
    marked = marked or _guess_utf16(head)
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        decoder, start = codecs.getincrementaldecoder(encoding)(), 0
        try:
            while chunk := file.read(_CHUNK_BYTES):
                pending = len(decoder.getstate()[0])
                start = file.tell() - len(chunk) - pending
                decoder.decode(chunk)
            start = file.tell() - len(decoder.getstate()[0])
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as exc:
            where = f"byte 0x{exc.object[exc.start]:02x} at position {start + exc.start:,}"
        else:
            return encoding
        finally:
            file.seek(0)
    raise NotTextError(
        f"it begins like {marked.upper()} but is damaged or cut short ({where})"
        if marked
        else f"it is neither UTF-8 nor UTF-16 nor Windows-1252 ({where})"
    )


def _guess_utf16(head: bytes) -> str | None:
    """Guess UTF-16 without a byte order mark: in tables, every second byte of most letters is zero.

    Raises:
        NotTextError: there are many other zero bytes. A single one makes its own row a problem, not the whole table.
    """
    if head.count(0) <= _ZERO_BYTES_MAX_01 * len(head):
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > 0.4 * len(head) / 2 and min(even, odd) == 0:
        return "utf-16-be" if even else "utf-16-le"
    raise NotTextError(f"it has a zero byte at position {head.index(0):,}, which text never has")


def detect_dialect(file: IO[bytes], separator: str = "", n_columns: int = 0) -> Dialect:
    """Detect the dialect of a delimited text file. The file is rewound.

    Args:
        separator: "" to detect it.
        n_columns: number of columns; 0 if it is not known.
    Raises:
        NotTextError: the file is not text, or its encoding is not supported.
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


def find_fault(file: IO[bytes], dialect: Dialect) -> str:
    """Describe the first row that has more values than there are columns, or a quotation mark that is never closed.

    Returns:
        a sentence with the remedy; "" if there is no such row.
    """
    if dialect.separator == " ":
        return ""
    with io.TextIOWrapper(file, encoding=dialect.encoding, newline="") as text:
        number, n_columns = 0, len(dialect.header)
        try:
            for number, row in enumerate(csv.reader(text, delimiter=dialect.separator, strict=True)):
                if len(row) > n_columns:
                    return (
                        f"row {number:,} has {len(row):,} values but there are {n_columns:,} columns. "
                        "Put values that contain a separator into quotation marks."
                    )
        except csv.Error:
            return f"the quotation marks of row {number + 1:,} do not match or are never closed. Correct them."
        return ""


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
