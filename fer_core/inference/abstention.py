"""When a reading can't be relied on: one rule for photos and for live video."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from fer_core.inference.face_quality import FaceQuality
from fer_core.labels import Expression

FACE_WIDTH_MIN_PX = 20
"""A narrower face has too few pixels for its expression, whatever the model says."""

MARGIN_MIN_01 = 0.1
"""Two best expressions nearer to each other than this are called close."""

OUTSIDE_MAX_01 = 0.1
"""More of a face's middle than this outside the picture, and it is cut off: with a quarter of the face missing 3 in 4
have that, with a third 19 in 20, of whole faces none in 59. Accuracy falls by 8 points with a fifth missing. All
limits: docs/face-path.md."""

PROFILE_YAW_MIN = 0.8
"""`FaceQuality.yaw_ratio` from here on is a profile: the nose is beyond one eye."""

SHARPNESS_MIN = 0.065
"""Blurrier crops are read 12 points and more worse than sharp ones; not one clean face in two hundred is below .139."""

MOUTH_OCCLUDED_MIN_01 = 0.8
"""`FaceQuality.mouth_occluded_01` from here on counts."""


class AbstainReason(StrEnum):
    """Why a reading is uncertain, the weightiest first."""

    SMALL_FACE = "small_face"
    CUT_OFF = "cut_off"
    ROTATED = "turned"
    PROFILE = "profile"
    BLURRED = "blurred"
    MOUTH_OCCLUDED = "mouth_covered"
    LOW_CONFIDENCE = "below_limit"
    SMALL_MARGIN = "two_close"


REASON_TEXTS: Mapping[AbstainReason, str] = {
    AbstainReason.SMALL_FACE: "the face is too small",
    AbstainReason.CUT_OFF: "the face is cut off by the picture's edge",
    AbstainReason.ROTATED: "the face is upside down or lies on its side",
    AbstainReason.PROFILE: "the face is seen from the side",
    AbstainReason.BLURRED: "the face is too blurred",
    AbstainReason.MOUTH_OCCLUDED: "the mouth seems to be covered",
}
"""What is wrong with how a face is seen, in words for a person; the other reasons are about the model's numbers."""


def top_two(probabilities: Mapping[Expression, float]) -> tuple[tuple[Expression, float], tuple[Expression, float]]:
    """The likeliest expression and the next, each with its probability."""
    first, second = sorted(probabilities.items(), key=lambda item: -item[1])[:2]
    return first, second


def abstain_reasons(
    seen: FaceQuality, probabilities: Mapping[Expression, float], confidence_threshold: float
) -> tuple[AbstainReason, ...]:
    """What speaks against a reading, the weightiest first; nothing when it can be relied on.

    Args:
        seen: how the face is seen.
        probabilities: of at least two expressions, 0..1.
        confidence_threshold: the model's own limit of certainty at the operating point.
    """
    (_, first), (_, second) = top_two(probabilities)
    blurred = seen.sharpness < SHARPNESS_MIN
    # On its head or without its detail no mouth is where one is looked for.
    covered = seen.mouth_occluded_01 >= MOUTH_OCCLUDED_MIN_01 and not seen.is_rotated and not blurred
    found = (
        (AbstainReason.SMALL_FACE, seen.side_px < FACE_WIDTH_MIN_PX),
        (AbstainReason.CUT_OFF, seen.outside_01 > OUTSIDE_MAX_01),
        (AbstainReason.ROTATED, seen.is_rotated),
        (AbstainReason.PROFILE, seen.yaw_ratio >= PROFILE_YAW_MIN),
        (AbstainReason.BLURRED, blurred),
        (AbstainReason.MOUTH_OCCLUDED, covered),
        (AbstainReason.LOW_CONFIDENCE, first < confidence_threshold),
        (AbstainReason.SMALL_MARGIN, first - second < MARGIN_MIN_01),
    )
    return tuple(reason for reason, holds in found if holds)
