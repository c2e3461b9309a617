"""CSV files that people open: every table that a page or a command gives away is written here.

A spreadsheet takes a text cell that begins with one of a few signs for a formula and runs it, and names of files and
classes come from strangers. Such a cell gets an apostrophe in front, which a spreadsheet shows as text (OWASP, "CSV
Injection"). Numbers stay numbers. The file begins with a byte order mark, without which Excel misreads accents.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.errors import InputError
from fer_core.files.atomic import write_bytes

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")


def csv_bytes(table: pd.DataFrame) -> bytes:
    """A table as CSV, UTF-8 with a byte order mark; its index is left out, and no cell is a formula."""
    columns = [_guarded(table.iloc[:, place]) for place in range(table.shape[1])]
    guarded = pd.concat(columns, axis=1) if columns else table
    guarded.columns = pd.Index([escape_formula(name) for name in table.columns])
    return guarded.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig", errors="replace")


def _guarded(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of a table with its text guarded; numbers and times are as they were."""
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    return pd.Series([escape_formula(cell) for cell in column], index=column.index, dtype=object)


def escape_formula(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula; all but text stays what it is, and so does a number as text."""
    if isinstance(cell, str) and cell.startswith(_FORMULA_SIGNS) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table without its index, atomically.

    Raises:
        InputError: it can't be written there.
    """
    try:
        write_bytes(path.expanduser(), csv_bytes(table))
    except OSError as exc:
        raise InputError(f"{path} can't be written: {exc.strerror}. Name a file in a folder of yours.") from exc
