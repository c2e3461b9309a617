"""Faces of FER+ whose mouth is really covered, found by eye and listed in `mouth_covered.txt`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_LIST = Path(__file__).with_suffix(".txt")


def listed(kind: Literal["covered", "unclear"]) -> frozenset[str]:
    """The names of the faces, without their ending, whose mouth is covered, or of which that can't be told."""
    lines = (line.split() for line in _LIST.read_text("utf-8").splitlines() if not line.startswith("#"))
    return frozenset(name for is_kind, name in lines if is_kind == kind)
