"""What commands print: a result as JSON or as words on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

from fer_core.text import one_line, printable


def print_result(result: Any, as_json: bool, words: str) -> None:
    """Print a command's result: JSON alone, or a text for a person."""
    sys.stdout.write((json.dumps(result, allow_nan=False) if as_json else printable(words)) + "\n")


def format_table(rows: list[dict[str, Any]], empty: str) -> str:
    """Rows as aligned text columns; `empty` where there are none."""
    if not rows:
        return empty
    cells = [[one_line(str(value)) for value in row.values()] for row in rows]
    heads = list(rows[0])
    widths = [max(len(head), *(len(row[column]) for row in cells)) for column, head in enumerate(heads)]
    lines = [heads, *cells]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


class ProgressLine:
    """A `Progress` on standard error: one line that rewrites itself on a terminal, a line a tenth elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._tenth = -1

    def __call__(self, done_01: float, message: str) -> None:
        """Show how far the work is."""
        text = f"{done_01:6.1%}  {message}"
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{text}" + ("\n" if done_01 >= 1 else ""))
            sys.stderr.flush()
        elif int(done_01 * 10) > self._tenth:
            self._tenth = int(done_01 * 10)
            sys.stderr.write(text + "\n")
