"""Print results as JSON or text to standard output, and progress to standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

from fer_core.text import escape_control_characters, escape_to_one_line


def print_result(result: Any, as_json: bool, text: str) -> None:
    """Print `result` as JSON, or `text`."""
    sys.stdout.write((json.dumps(result, allow_nan=False) if as_json else escape_control_characters(text)) + "\n")


def format_table(rows: list[dict[str, Any]], empty: str) -> str:
    """Format rows as aligned columns, with a dash for None; returns `empty` without rows."""
    if not rows:
        return empty
    cells = [[escape_to_one_line("–" if value is None else str(value)) for value in row.values()] for row in rows]
    header = list(rows[0])
    widths = [max(len(name), *(len(row[column]) for row in cells)) for column, name in enumerate(header)]
    lines = [header, *cells]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


class ProgressLine:
    """A `Progress` on standard error: one updating line on a terminal, otherwise a line every 10 %."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._tenth = -1

    def __call__(self, done_01: float, message: str) -> None:
        """Print the progress."""
        text = f"{done_01:6.1%}  {message}"
        if self._is_terminal:
            sys.stderr.write(f"\r\x1b[K{text}" + ("\n" if done_01 >= 1 else ""))
            sys.stderr.flush()
        elif int(done_01 * 10) > self._tenth:
            self._tenth = int(done_01 * 10)
            sys.stderr.write(text + "\n")
