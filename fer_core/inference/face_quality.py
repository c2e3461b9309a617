"""Face quality: size, truncation, rotation, yaw, sharpness and mouth occlusion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.detection.detector import DetectedFace
from fer_core.faces import AlignedCrop, RgbImage
from fer_core.inference.mouth_occlusion import mouth_occluded_01, to_gray_48px

_SIGMA_PX = 1.0
_EDGE_PX = 4
_DEVIATION_MIN = 4.0
"""Standard deviation in gray levels; in a flatter crop sharpness and occlusion can't be determined."""

_EYE_SPAN_MIN = 0.05

_CENTRAL_REGION = {"across": (-0.36, 0.36), "down": (-0.25, 0.42)}
"""Cheek to cheek and brows to chin, from the center of an aligned crop, in its sides."""

_SIDE_BY_LANDMARKS = 2.55
"""Side of a crop framed as in FER2013, in distances from the eyes to the mouth; the median of FER+ faces."""


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """Quality of a detected face; the defaults are those of an unproblematic face.

    Attributes:
        side_px: shorter side of the box.
        truncation_01: share of the face's central region (brows to chin, cheek to cheek) outside the image.
        is_rotated: upside down or on its side.
        yaw_ratio: see `yaw_ratio`; 0 from the front, about 0.5 at half profile, from 0.8 in profile.
        sharpness: see `sharpness`.
        mouth_occluded_01: probability that the mouth is covered.
    """

    side_px: int
    truncation_01: float = 0.0
    is_rotated: bool = False
    yaw_ratio: float = 0.0
    sharpness: float = 1.0
    mouth_occluded_01: float = 0.0


def face_quality(
    image: RgbImage, faces: Sequence[DetectedFace], crops: Sequence[RgbImage], margin_01: float
) -> list[FaceQuality]:
    """Measure the quality of each face.

    Args:
        image: the image they were found in; uint8, shape (H, W, 3), RGB.
        faces: from the detector.
        crops: one for each face, with `margin_01` around the aligned crop.
        margin_01: the contract's.
    """
    gray_crops = [to_gray_48px(_without_margin(crop, margin_01)) for crop in crops]
    occluded = _mouth_occluded_01(gray_crops)
    return [
        FaceQuality(
            side_px=min(face.box.width, face.box.height),
            truncation_01=truncation_01(image, face),
            is_rotated=face.is_rotated,
            yaw_ratio=yaw_ratio(face.landmarks),
            sharpness=sharpness(small),
            mouth_occluded_01=mouth,
        )
        for face, small, mouth in zip(faces, gray_crops, occluded, strict=True)
    ]


def crop_quality(crop: RgbImage) -> FaceQuality:
    """Measure the quality of a ready crop; without a box, truncation, rotation and yaw are unknown."""
    small = to_gray_48px(crop)
    (mouth,) = _mouth_occluded_01([small])
    return FaceQuality(min(crop.shape[:2]), sharpness=sharpness(small), mouth_occluded_01=mouth)


def truncation_01(image: RgbImage, face: DetectedFace) -> float:
    """Compute which share of a face's central region lies outside the image: the larger value by box and by eyes and
    mouth, as YuNet's boxes end about where the image does."""
    crops = [face.aligned_crop]
    if face.landmarks is not None:
        eyes, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:].mean(axis=0)
        x, y = ((eyes + mouth) / 2).tolist()
        side_px = _SIDE_BY_LANDMARKS * math.dist(eyes.tolist(), mouth.tolist())
        crops.append(AlignedCrop(x, y, side_px, face.aligned_crop.roll_deg))
    return max(crop.truncation_01(image, **_CENTRAL_REGION) for crop in crops)


def yaw_ratio(landmarks: NDArray[np.float32] | None) -> float:
    """Distance of the nose from the line between the middles of eyes and mouth, in eye distances; 0 without
    landmarks (see `DetectedFace`)."""
    if landmarks is None:
        return 0.0
    points = landmarks.astype(float)
    eyes = points[:2].mean(axis=0)
    down = points[3:].mean(axis=0) - eyes
    length = float(np.hypot(*down))
    if not length:
        return 0.0
    across = np.array([down[1], -down[0]]) / length
    span = max(float((points[1] - points[0]) @ across), _EYE_SPAN_MIN * length)
    return abs(float((points[2] - eyes) @ across)) / span


def sharpness(small: NDArray[np.float32]) -> float:
    """Standard deviation of a crop's fine detail (the crop minus a Gaussian blur of one pixel), in standard deviations
    of the crop; 1 for a flat crop.

    Args:
        small: from `to_gray_48px`.
    """
    fine = small - cv2.GaussianBlur(small, (0, 0), _SIGMA_PX, borderType=cv2.BORDER_REFLECT)
    inner = slice(_EDGE_PX, -_EDGE_PX)
    deviation = float(small[inner, inner].std())
    return float(fine[inner, inner].std()) / deviation if deviation >= _DEVIATION_MIN else 1.0


def _mouth_occluded_01(crops: Sequence[NDArray[np.float32]]) -> list[float]:
    """Probability that the mouth is covered; 0 for a flat crop."""
    if not crops:
        return []
    occluded = mouth_occluded_01(np.stack(crops))
    return [float(value) if crop.std() >= _DEVIATION_MIN else 0.0 for crop, value in zip(crops, occluded, strict=True)]


def _without_margin(crop: RgbImage, margin_01: float) -> RgbImage:
    cut = round(margin_01 / (1 + 2 * margin_01) * crop.shape[0]) if margin_01 > 0 else 0
    return crop[cut : crop.shape[0] - cut, cut : crop.shape[1] - cut]
