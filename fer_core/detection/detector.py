"""Interface of the face detectors, and what they share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces import AlignedCrop, FaceBox, RgbImage

INPUT_SIDE_PX = 640
"""Longer side of a detector's input by default, as for live frames; boxes are in pixels of the original."""

_CROP_SIDE = 1.04
"""Side of an aligned crop, in sides of a square of the box's area. How a crop follows from a box was chosen by
measurement: docs/face-detection.md."""

ROLL_MAX_DEG = 45.0
"""At a larger angle one eye lies above the other, as YuNet places them in some profiles, so the roll is unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A detected face.

    Attributes:
        box: in pixels of the image; may reach over its edge.
        score_01: comparable between faces of one detector, not between detectors.
        landmarks: float32, shape (5, 2), x and y in pixels of the person's right eye, left eye, nose tip, right and
            left corner of the mouth; None if the detector has none.
        rotation_deg: clockwise rotation (0, 90, 180 or 270) of the image in which the face was found upright; box and
            landmarks are of the image without it.
        is_rotated: the face itself is upside down or lies on its side in the rotated image.
    """

    box: FaceBox
    score_01: float
    landmarks: NDArray[np.float32] | None
    rotation_deg: int = 0
    is_rotated: bool = False

    @property
    def aligned_crop(self) -> AlignedCrop:
        """The crop for the model: about the box's center, upright by the eyes if there are landmarks."""
        side_px = _CROP_SIDE * math.sqrt(max(self.box.width, 0) * max(self.box.height, 0))
        angle_deg = self.eye_angle_deg
        roll_deg = angle_deg if abs(angle_deg) <= ROLL_MAX_DEG else 0.0
        return AlignedCrop(*self.box.center, side_px, _wrap_angle_deg(roll_deg - self.rotation_deg))

    @property
    def eye_angle_deg(self) -> float:
        """Clockwise angle of the line between the eyes in the rotated image, -180..180; 0 without landmarks."""
        if self.landmarks is None:
            return 0.0
        across, down = (self.landmarks[1] - self.landmarks[0]).tolist()
        return _wrap_angle_deg(math.degrees(math.atan2(down, across)) + self.rotation_deg)


class FaceDetector(Protocol):
    """A face detector. Every detector here may be shared between threads."""

    @property
    def name(self) -> str:
        """`yunet` or `haar`."""

    def detect(self, image: RgbImage, *, side_px: int = INPUT_SIDE_PX) -> list[DetectedFace]:
        """Detect faces at one resolution, sorted left to right, then top to bottom.

        Args:
            image: uint8, shape (H, W, 3), RGB.
            side_px: longer side of the detector's input; smaller images are not upscaled.
        """


def downscale(image: RgbImage, side_px: int) -> tuple[RgbImage, float, float]:
    """Downscale to a longer side of at most `side_px`; also returns the factors back to the original, across and
    down."""
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return np.ascontiguousarray(image), 1.0, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small: Any = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA)
    return small, width / size[0], height / size[1]


def round_box(x: float, y: float, width: float, height: float) -> FaceBox:
    """Round the edges of a box to whole pixels; rounding its size would make similar boxes differ by two."""
    left, top = round(float(x)), round(float(y))
    return FaceBox(left, top, max(1, round(float(x + width)) - left), max(1, round(float(y + height)) - top))


def suppress(faces: Iterable[DetectedFace], is_duplicate: Callable[[FaceBox, FaceBox], bool]) -> list[DetectedFace]:
    """Keep of duplicate faces the one with the highest score.

    Args:
        is_duplicate: whether a box shows the same face as another with a higher score.
    """
    kept: list[DetectedFace] = []
    for face in sorted(faces, key=lambda face: -face.score_01):
        if not any(is_duplicate(face.box, better.box) for better in kept):
            kept.append(face)
    return kept


def sort_by_position(faces: Iterable[DetectedFace]) -> list[DetectedFace]:
    """Sort left to right, then top to bottom, so that faces keep their numbers if scores change."""
    return sorted(faces, key=lambda face: (face.box.x, face.box.y))


def _wrap_angle_deg(angle_deg: float) -> float:
    """Wrap an angle to (-180, 180]."""
    return 180 - (180 - angle_deg) % 360
