"""Write CSV files that are safe to open in a spreadsheet.

Spreadsheets run cells that begin with certain characters as formulas, and file and class names are untrusted. Such a
cell gets a leading apostrophe, which makes it text (OWASP, "CSV Injection"). Files begin with a byte order mark,
without which Excel misreads accents.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from fer_core.errors import InputError
from fer_core.files.atomic import write_bytes

_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Convert a table to CSV without its index, as UTF-8 with a byte order mark, with formulas escaped."""
    columns = [_escape_column(table.iloc[:, number]) for number in range(table.shape[1])]
    escaped = pd.concat(columns, axis=1) if columns else table
    escaped.columns = pd.Index([escape_formula(name) for name in table.columns])
    return escaped.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig", errors="replace")


def _escape_column(column: pd.Series[Any]) -> pd.Series[Any]:
    """Escape the text of a column; numeric and datetime columns are unchanged."""
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    return pd.Series([escape_formula(cell) for cell in column], index=column.index, dtype=object)


def escape_formula(cell: object) -> object:
    """Prefix text that a spreadsheet would run as a formula with an apostrophe; numbers as text are unchanged."""
    if isinstance(cell, str) and cell.startswith(_FORMULA_PREFIXES) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table without its index, atomically.

    Raises:
        InputError: the file can't be written.
    """
    try:
        write_bytes(path.expanduser(), csv_bytes(table))
    except OSError as exc:
        raise InputError(f"{path} can't be written: {exc.strerror}. Choose a file in a writable folder.") from exc
