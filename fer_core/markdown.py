"""Format numbers, names and tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

_NO_BREAK_SPACE = "\u00a0"

_SPECIAL_CHARACTERS = re.compile(r"([\\`*\[\]|<#_])")
_LINKS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=[.])|(?<=@)(?=\S)", re.IGNORECASE)
_WORD_JOINER = "\u2060"


def break_links(text: str) -> str:
    """Break the URLs in a text, so that Markdown does not turn them into links."""
    return _LINKS.sub(_WORD_JOINER, text)


def escape_markdown(text: str) -> str:
    """Escape a text for Markdown: one line, no formatting, no links."""
    return break_links(_SPECIAL_CHARACTERS.sub(r"\\\1", " ".join(text.split())))


def format_percent(share_01: float | None, decimals: int = 1) -> str:
    """Format a share: "84.0 %"; a dash for None."""
    return "–" if share_01 is None else f"{share_01 * 100:.{decimals}f}{_NO_BREAK_SPACE}%"


def format_with_interval(value_01: float, bounds: Sequence[float], decimals: int = 1) -> str:
    """Format a share with its 95 % interval: "84.0 % (82.8 to 85.2)"."""
    low, high = bounds
    interval = _NO_BREAK_SPACE.join([f"{low * 100:.{decimals}f}", "to", f"{high * 100:.{decimals}f}"])
    return f"{format_percent(value_01, decimals)} ({interval})"


def describe_split(dataset: str, split: str, split_of: str = "") -> str:
    """Name a split of a dataset: the dataset's own split, whose use may differ from its name, or the run's if
    `split_of` is "run"; the dataset itself if `split` is empty."""
    if not split:
        return dataset
    return f"the run's {split} split of {dataset}" if split_of == "run" else f"the split that {dataset} calls {split}"


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], numbers_from: int = 1) -> list[str]:
    """Format a table and an empty line; columns from `numbers_from` on are right-aligned."""
    rule = ["---" if column < numbers_from else "--:" for column in range(len(heads))]
    lines = [heads, rule, *([str(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines] + [""]
