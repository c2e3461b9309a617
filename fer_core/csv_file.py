"""Tables that a command writes where it was told to."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from fer_core.atomic import write_text
from fer_core.errors import InputError


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table without its index, atomically.

    Raises:
        InputError: it can't be written there.
    """
    try:
        write_text(path.expanduser(), table.to_csv(index=False))
    except OSError as exc:
        raise InputError(f"{path} can't be written: {exc.strerror}. Name a file in a folder of yours.") from exc
