"""When a reading can't be relied on: one rule for photos and for live video."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from fer_core.labels import Expression

SMALL_FACE_PX = 20
"""A narrower face has too few pixels for its expression, whatever the model says."""

CLOSE_BELOW_01 = 0.1
"""Two best expressions nearer to each other than this are called close."""


class Doubt(Enum):
    """Why a reading is uncertain."""

    SMALL_FACE = auto()
    BELOW_LIMIT = auto()
    TWO_CLOSE = auto()


def best_two(probabilities: Mapping[Expression, float]) -> tuple[tuple[Expression, float], tuple[Expression, float]]:
    """The likeliest expression and the next, each with its probability."""
    first, second = sorted(probabilities.items(), key=lambda item: -item[1])[:2]
    return first, second


def doubts(side_px: int, probabilities: Mapping[Expression, float], limit_01: float) -> tuple[Doubt, ...]:
    """What speaks against a reading, the weightiest first; nothing when it can be relied on.

    Args:
        side_px: the shorter side of the face's box.
        probabilities: of at least two expressions, 0..1.
        limit_01: the model's own limit of certainty at the operating point.
    """
    (_, first), (_, second) = best_two(probabilities)
    found = (
        (Doubt.SMALL_FACE, side_px < SMALL_FACE_PX),
        (Doubt.BELOW_LIMIT, first < limit_01),
        (Doubt.TWO_CLOSE, first - second < CLOSE_BELOW_01),
    )
    return tuple(doubt for doubt, holds in found if holds)
