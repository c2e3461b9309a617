"""Delimited text as spreadsheets write it: find out a file's encoding and separator, and read it in chunks."""

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
"""Those that are recognized; a space is used only where it is asked for."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PIECE_BYTES = 2**20
_HEAD_CHARACTERS = 2**18
_HEAD_ROWS = 100
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n')
"""What Excel writes, and obeys, before the header."""

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text file was written.

    Attributes:
        encoding: Python's name of it.
        separator: one of `SEPARATORS`, or a space for any run of blanks.
        header: the first row's cells, without blanks around them; () where the file is empty.
        names_separator: whether the first line only names the separator.
    """

    encoding: str
    separator: str
    header: tuple[str, ...]
    names_separator: bool = False


def detect_encoding(file: IO[bytes]) -> str:
    """Detect how text is encoded: by its byte order mark, else UTF-8 where all of it is valid, else Windows-1252.

    The file is left at its beginning.

    Raises:
        UnicodeDecodeError: it is none of these.
    """
    head = file.read(4)
    file.seek(0)
    marked = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if head.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while piece := file.read(_PIECE_BYTES):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as exc:
            wrong = exc
        else:
            return encoding
        finally:
            file.seek(0)
    raise wrong


def detect_dialect(file: IO[bytes], separator: str = "", n_columns: int = 0) -> Dialect:
    """Find out how a delimited text file was written. The file is left at its beginning.

    Args:
        separator: where it is known; "" to detect it.
        n_columns: how many columns there must be; 0 where that is not known.
    Raises:
        UnicodeDecodeError: it is text in no encoding that is known here.
    """
    encoding = detect_encoding(file)
    decoder = codecs.getincrementaldecoder(encoding)()
    head = decoder.decode(file.read(_HEAD_CHARACTERS))
    file.seek(0)
    told = _SEPARATOR_LINE.match(head)
    if told:
        head = head[told.end() :]
        separator = separator or told[1]
    separator = separator or max(SEPARATORS, key=lambda each: _fit(head, each, n_columns))
    rows = _rows(head, separator, 1)
    header = tuple(cell.strip() for cell in rows[0]) if rows else ()
    return Dialect(encoding, separator, header, told is not None)


def read_delimited_chunks(
    file: IO[bytes], dialect: Dialect, names: Sequence[str], rows_at_once: int
) -> Iterator[pd.DataFrame]:
    """Read delimited text some rows at a time; every value is text, "" where there is none.

    Args:
        names: the columns of a file that has no header.
    Raises:
        ValueError: it can't be parsed; pandas says why.
        ParserWarning: a row has more values than there are columns.
    """
    with io.TextIOWrapper(file, encoding=dialect.encoding, newline="") as text:
        if dialect.names_separator:
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
            with warnings.catch_warnings():  # pandas drops what a row has too much, which may be its label
                warnings.simplefilter("error", pd.errors.ParserWarning)
                chunk = next(reader, None)
            if chunk is None:
                return
            yield chunk.rename(columns=lambda column: str(column).strip())


def normalize_decimal(text: str, separator: str = "") -> str:
    """Write a number with a decimal point, as Python reads it: 0,53 becomes 0.53; 1.234,5 and 1,234.5 become 1234.5.

    Args:
        separator: of the table. Where that is a comma, 1,234 is a number with a thousands separator.
    """
    if "," not in text:
        return text
    text = text.strip()
    if text.rfind(".") > text.rfind(",") or (separator == "," and _THOUSANDS.fullmatch(text)):
        return text.replace(",", "")
    return text.replace(".", "").replace(",", ".")


def _fit(head: str, separator: str, n_columns: int) -> tuple[float, int]:
    """How well a separator fits: the share of rows with as many cells as the first, and how many these are."""
    rows = _rows(head, separator, _HEAD_ROWS)
    wanted = n_columns or (len(rows[0]) if rows else 0)
    if wanted < 2:
        return 0.0, 0
    return sum(len(row) == wanted for row in rows) / max(1, len(rows)), wanted


def _rows(head: str, separator: str, rows_max: int) -> list[list[str]]:
    """The first rows of a text that may be cut off; the last is left out where it may be."""
    lines = csv.reader(io.StringIO(head, newline=""), delimiter=separator, skipinitialspace=separator == " ")
    try:
        rows = [row for row in islice(lines, rows_max + 1) if any(map(str.strip, row))]
    except csv.Error:
        return []
    return rows[:rows_max] if len(rows) > rows_max or len(head) < _HEAD_CHARACTERS else (rows[:-1] or rows)
