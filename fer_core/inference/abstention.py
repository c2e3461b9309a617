"""Reasons to abstain from a prediction, for photos and live video."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from fer_core.inference.face_quality import FaceQuality
from fer_core.labels import Expression

FACE_WIDTH_MIN_PX = 20
"""A narrower face has too few pixels to show an expression."""

MARGIN_MIN_01 = 0.1
"""Smallest difference between the two highest probabilities."""

TRUNCATION_MAX_01 = 0.1
"""Largest share of a face's central region outside the image. With a quarter of the face missing 3 in 4 exceed it, with
a third 19 in 20, of whole faces none in 59; accuracy falls by 8 points with a fifth missing. All limits:
docs/face-detection.md."""

PROFILE_YAW_MIN = 0.8
"""From this `FaceQuality.yaw_ratio` on the nose is beyond one eye."""

SHARPNESS_MIN = 0.065
"""Below it accuracy is at least 12 points lower; not one clean face in two hundred is below .139."""

MOUTH_OCCLUDED_MIN_01 = 0.8
"""Threshold of `FaceQuality.mouth_occluded_01`."""


class AbstainReason(StrEnum):
    """Why a prediction is uncertain, most important first."""

    SMALL_FACE = "small_face"
    TRUNCATED = "truncated"
    ROTATED = "rotated"
    PROFILE = "profile"
    BLURRED = "blurred"
    MOUTH_OCCLUDED = "mouth_occluded"
    LOW_CONFIDENCE = "low_confidence"
    SMALL_MARGIN = "small_margin"


REASON_TEXTS: Mapping[AbstainReason, str] = {
    AbstainReason.SMALL_FACE: "the face is too small",
    AbstainReason.TRUNCATED: "the face is cut off by the picture's edge",
    AbstainReason.ROTATED: "the face is upside down or lies on its side",
    AbstainReason.PROFILE: "the face is seen from the side",
    AbstainReason.BLURRED: "the face is too blurred",
    AbstainReason.MOUTH_OCCLUDED: "the mouth seems to be covered",
}
"""Texts of the reasons that are about the face's quality, not the probabilities."""


REMEDIES: Mapping[AbstainReason, str] = {
    AbstainReason.SMALL_FACE: "Come closer.",
    AbstainReason.TRUNCATED: "Move into the picture.",
    AbstainReason.ROTATED: "Hold your head upright.",
    AbstainReason.PROFILE: "Turn to the camera.",
    AbstainReason.BLURRED: "Hold still, or get more light.",
    AbstainReason.MOUTH_OCCLUDED: "Uncover your mouth.",
}
"""What a person at a camera can do about a reason, where anything can be done."""


def top_two(probabilities: Mapping[Expression, float]) -> tuple[tuple[Expression, float], tuple[Expression, float]]:
    """Return the two most likely expressions, each with its probability."""
    first, second = sorted(probabilities.items(), key=lambda item: -item[1])[:2]
    return first, second


def describe_low_confidence(confidence_01: float, threshold_01: float) -> str:
    """Describe a confidence below the threshold: "57.3 % is below the 60.0 % needed", with decimals that differ."""
    decimals = 1 if f"{confidence_01:.1%}" != f"{threshold_01:.1%}" else 2
    texts = (f"{value:.{decimals}%}".replace("%", " %") for value in (confidence_01, threshold_01))
    return "{} is below the {} needed".format(*texts)


def abstain_reasons(
    quality: FaceQuality, probabilities: Mapping[Expression, float], confidence_threshold: float
) -> tuple[AbstainReason, ...]:
    """List the reasons to abstain, most important first.

    Args:
        quality: of the face.
        probabilities: of at least two expressions, 0..1.
        confidence_threshold: the model's at the operating point.
    """
    (_, first), (_, second) = top_two(probabilities)
    blurred = quality.sharpness < SHARPNESS_MIN
    # Mouth occlusion can't be measured on a rotated or blurred face.
    occluded = quality.mouth_occluded_01 >= MOUTH_OCCLUDED_MIN_01 and not quality.is_rotated and not blurred
    checks = (
        (AbstainReason.SMALL_FACE, quality.side_px < FACE_WIDTH_MIN_PX),
        (AbstainReason.TRUNCATED, quality.truncation_01 > TRUNCATION_MAX_01),
        (AbstainReason.ROTATED, quality.is_rotated),
        (AbstainReason.PROFILE, quality.yaw_ratio >= PROFILE_YAW_MIN),
        (AbstainReason.BLURRED, blurred),
        (AbstainReason.MOUTH_OCCLUDED, occluded),
        (AbstainReason.LOW_CONFIDENCE, first < confidence_threshold),
        (AbstainReason.SMALL_MARGIN, first - second < MARGIN_MIN_01),
    )
    return tuple(reason for reason, applies in checks if applies)
