"""How a face is seen in a picture, whatever a model reads in it: what can make a reading unreliable, as numbers."""

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
"""Gray levels: a flatter crop has nothing on it that could be sharp or covered."""

_SPAN_MIN = 0.05

_MIDDLE_ACROSS, _MIDDLE_DOWN = (-0.36, 0.36), (-0.25, 0.42)
"""Where the brows, the chin and the cheeks lie, in sides of a face's frame from its center."""

_SIDE_BY_LANDMARKS = 2.55
"""The side of the pictures of FER2013, in distances from the eyes to the mouth; the median of FER+ faces."""


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """How a face is seen; the defaults are those of a face about which nothing is known that speaks against it.

    `side_px` is the shorter side of its box, `outside_01` the share of its middle (brows to chin, cheek to cheek) that
    lies outside the picture. `is_rotated`: it is upside down or lies on its side. `yaw_ratio` is how far the nose lies
    from the middle between the eyes, in distances of the eyes: 0 from the front, about 0.5 half turned, 0.8 and more in
    profile. `sharpness` is the deviation of a crop's fine detail in deviations of the whole crop, at 48 pixels.
    `mouth_occluded_01`: a probability.
    """

    side_px: int
    outside_01: float = 0.0
    is_rotated: bool = False
    yaw_ratio: float = 0.0
    sharpness: float = 1.0
    mouth_occluded_01: float = 0.0


def face_quality(
    image: RgbImage, faces: Sequence[DetectedFace], crops: Sequence[RgbImage], margin_01: float
) -> list[FaceQuality]:
    """How each face is seen.

    Args:
        image: the picture they were found in; uint8, shape (H, W, 3), RGB.
        faces: what the detector found.
        crops: what was cut out of the picture for each, with `margin_01` about the frame.
        margin_01: the contract's; the mouth is looked for without it.
    """
    faces_px = [to_gray_48px(_without_margin(crop, margin_01)) for crop in crops]
    covered = _covered_01(faces_px)
    return [
        FaceQuality(
            side_px=min(face.box.width, face.box.height),
            outside_01=outside_01(image, face),
            is_rotated=face.is_rotated,
            yaw_ratio=yaw_ratio(face.landmarks),
            sharpness=sharpness(small),
            mouth_occluded_01=mouth,
        )
        for face, small, mouth in zip(faces, faces_px, covered, strict=True)
    ]


def crop_quality(crop: RgbImage) -> FaceQuality:
    """How the face of a ready crop is seen: there is no box, and so nothing is known of edge, turn and profile."""
    small = to_gray_48px(crop)
    (mouth,) = _covered_01([small])
    return FaceQuality(min(crop.shape[:2]), sharpness=sharpness(small), mouth_occluded_01=mouth)


def outside_01(image: RgbImage, face: DetectedFace) -> float:
    """The share of a face's middle, brows to chin and cheek to cheek, that lies outside the picture: by its box or by
    its eyes and mouth, whichever is more, as YuNet's box ends about where the picture does.

    Args:
        image: the picture it was found in.
        face: what the detector found.
    """
    frames = [face.frame]
    if face.landmarks is not None:
        eyes, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:].mean(axis=0)
        x, y = ((eyes + mouth) / 2).tolist()
        side_px = _SIDE_BY_LANDMARKS * math.dist(eyes.tolist(), mouth.tolist())
        frames.append(AlignedCrop(x, y, side_px, face.frame.roll_deg))
    return max(frame.outside_01(image, _MIDDLE_ACROSS, _MIDDLE_DOWN) for frame in frames)


def yaw_ratio(landmarks: NDArray[np.float32] | None) -> float:
    """How far the nose lies from the middle between the eyes, across the line from there to the mouth's middle, in
    distances of the eyes; 0 without landmarks.

    Args:
        landmarks: see `DetectedFace`.
    """
    if landmarks is None:
        return 0.0
    points = landmarks.astype(float)
    eyes = points[:2].mean(axis=0)
    down = points[3:].mean(axis=0) - eyes
    length = float(np.hypot(*down))
    if not length:
        return 0.0
    across = np.array([down[1], -down[0]]) / length
    span = max(float((points[1] - points[0]) @ across), _SPAN_MIN * length)
    return abs(float((points[2] - eyes) @ across)) / span


def sharpness(small: NDArray[np.float32]) -> float:
    """The deviation of a crop's detail, finer than a Gaussian of one pixel at 48, in deviations of the whole; 1 for a
    flat crop, whose sharpness can't be told.

    Args:
        small: a crop by `to_gray_48px`.
    """
    fine = small - cv2.GaussianBlur(small, (0, 0), _SIGMA_PX, borderType=cv2.BORDER_REFLECT)
    inner = slice(_EDGE_PX, -_EDGE_PX)
    deviation = float(small[inner, inner].std())
    return float(fine[inner, inner].std()) / deviation if deviation >= _DEVIATION_MIN else 1.0


def _covered_01(faces: Sequence[NDArray[np.float32]]) -> list[float]:
    """The probability that the mouth is covered; 0 for a flat crop, on which there is no mouth."""
    if not faces:
        return []
    covered = mouth_occluded_01(np.stack(faces))
    return [float(value) if face.std() >= _DEVIATION_MIN else 0.0 for face, value in zip(faces, covered, strict=True)]


def _without_margin(crop: RgbImage, margin_01: float) -> RgbImage:
    cut = round(margin_01 / (1 + 2 * margin_01) * crop.shape[0]) if margin_01 > 0 else 0
    return crop[cut : crop.shape[0] - cut, cut : crop.shape[1] - cut]
