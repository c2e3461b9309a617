"""FER+ faces with a real mouth occlusion, selected by eye and listed in `real_occlusions.txt`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_LIST = Path(__file__).with_suffix(".txt")


def load_names(kind: Literal["covered", "unclear"]) -> frozenset[str]:
    """Load the file names, without extension, of faces whose mouth is covered or unclear."""
    lines = (line.split() for line in _LIST.read_text("utf-8").splitlines() if not line.startswith("#"))
    return frozenset(name for is_kind, name in lines if is_kind == kind)
