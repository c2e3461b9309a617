"""How a model card writes numbers, names and tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

_TIED = "\u00a0"
"""A space at which a narrow column does not break."""

_MARKS = re.compile(r"([\\`*\[\]|<#_])")
_LINKS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=[.])|(?<=@)(?=\S)", re.IGNORECASE)
_JOINER = "\u2060"
"""A word joiner: shown as nothing."""


def unlinked(text: str) -> str:
    """Text whose addresses Markdown makes no links of: nobody is led elsewhere by words that came from elsewhere."""
    return _LINKS.sub(_JOINER, text)


def plain(text: str) -> str:
    """Text that is not ours, on one line, written so that Markdown shows it as it is and links nothing."""
    return unlinked(_MARKS.sub(r"\\\1", " ".join(text.split())))


def percent(share_01: float | None, decimals: int = 1) -> str:
    """A share: "84.0 %"; a dash where there is none."""
    return "–" if share_01 is None else f"{share_01 * 100:.{decimals}f}{_TIED}%"


def with_interval(value_01: float, bounds: Sequence[float], decimals: int = 1) -> str:
    """A share with its 95 % interval: "84.0 % (82.8 to 85.2)"."""
    low, high = bounds
    between = _TIED.join([f"{low * 100:.{decimals}f}", "to", f"{high * 100:.{decimals}f}"])
    return f"{percent(value_01, decimals)} ({between})"


def describe_split(dataset: str, split: str, split_of: str = "") -> str:
    """A dataset's part by its own name, which may be another than its use: FER+'s valid part is what runs are tested
    on; or, where `split_of` is "run", the part of the run's own split. All of it where `split` is empty."""
    if not split:
        return dataset
    return f"the run's {split} split of {dataset}" if split_of == "run" else f"the split that {dataset} calls {split}"


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], numbers_from: int = 1) -> list[str]:
    """A Markdown table and an empty line; columns from `numbers_from` on are aligned to the right."""
    marks = ["---" if place < numbers_from else "--:" for place in range(len(heads))]
    lines = [heads, marks, *([str(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines] + [""]
