"""Text from outside, such as file names, made fit to be written down: in UTF-8, and without control characters."""

from __future__ import annotations

import os
import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a terminal's cursor, colors it, or turns the direction of writing; but not a line's end or a tab."""


def is_text(name: str) -> bool:
    """Whether a file's name can be written down: on disk and in archives it may be any bytes."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def as_text(name: str) -> str:
    r"""A file's name as it can be written down: bytes that are not UTF-8 become \xfc and the like."""
    return name if is_text(name) else os.fsencode(name).decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    r"""Text for a terminal or a log: control characters become \x1b and the like; several lines stay several lines."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), as_text(text))


def one_line(text: str) -> str:
    """`printable`, and on one line."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")
