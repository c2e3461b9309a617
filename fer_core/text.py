"""Clean, join and shorten text such as file names: valid UTF-8, no control characters, lists as words."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Literal

_SECONDS_MIN = 0.1
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, except line ends and tabs."""


def is_valid_utf8(name: str) -> bool:
    """Whether a file name is valid UTF-8; on disk and in archives it may be any bytes."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def to_valid_utf8(name: str) -> str:
    r"""Escape the bytes of a file name that are not UTF-8, as in \xfc."""
    return name if is_valid_utf8(name) else os.fsencode(name).decode("utf-8", "backslashreplace")


def escape_control_characters(text: str) -> str:
    r"""Escape control characters for a terminal or a log, as in \x1b; line ends and tabs stay."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), to_valid_utf8(text))


def escape_to_one_line(text: str) -> str:
    """Escape all control characters, including line ends and tabs."""
    return escape_control_characters(text).replace("\n", "\\n").replace("\t", "\\t")


def join_words(words: Sequence[str], last: str = "and") -> str:
    """Join words as in a sentence: "fear, disgust and contempt"."""
    return "".join(words) if len(words) < 2 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def shorten(text: str, characters: int, cut: Literal["middle", "end"] = "middle") -> str:
    """Replace the middle or the end of a text that is longer than `characters` by an ellipsis.

    Long names often differ only at their ends, so the middle of a name is cut.
    """
    if len(text) <= characters:
        return text
    end = characters // 2 if cut == "middle" else 0
    return f"{text[: characters - 1 - end].rstrip(' ,;(')}…{text[len(text) - end :]}"


def capitalize_first(text: str) -> str:
    """Capitalize the first letter and leave the rest as it is."""
    return text[:1].upper() + text[1:]


def lowercase_first(text: str) -> str:
    """Start with a small letter, except in an abbreviation such as SGD or F1."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def format_duration(seconds: float) -> str:
    """Format a time span: "<0.1 s", "0.4 s", "45 s", "3.1 min", "2.5 h", "3 days"."""
    if 0 < seconds < _SECONDS_MIN:
        return f"<{_SECONDS_MIN} s"
    for unit, divisor, limit in (("s", 1, 90), ("min", 60, 90), ("h", 3600, 36)):
        if seconds / divisor < limit:
            return f"{_two_digits(seconds / divisor)} {unit}"
    return f"{_two_digits(seconds / 86_400)} days"


def format_size(size_bytes: float) -> str:
    """Format a number of bytes: "999 B", "70 MiB", "1.6 GiB"."""
    value, units = float(size_bytes), ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return f"{_two_digits(value)} {units[0]}"


def _two_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.2g}"


def format_points(difference_01: float) -> str:
    """Format a difference of shares in percentage points with its sign: "+2.4", "\N{MINUS SIGN}30.7"."""
    return format_signed(difference_01 * 100, 1)


def format_signed(value: float, decimals: int = 2) -> str:
    """Format a number that can be negative with its sign: "+0.70", "\N{MINUS SIGN}0.70"; what rounds to 0 has none."""
    rounded = round(value, decimals)
    return f"{rounded:+.{decimals}f}".replace("-", "\N{MINUS SIGN}") if rounded else f"{0:.{decimals}f}"
