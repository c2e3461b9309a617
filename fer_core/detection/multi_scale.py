"""Multi-scale face detection in photos, including rotated ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.detection.detector import (
    INPUT_SIDE_PX,
    DetectedFace,
    FaceDetector,
    downscale,
    sort_by_position,
    suppress,
)
from fer_core.detection.yunet import SCORE_MIN_01
from fer_core.faces import AlignedCrop, FaceBox, RgbImage, crop_face

INPUT_SIDES_PX = (INPUT_SIDE_PX, 1280, 2560)
"""Longer sides at which a photo is searched. At the last, YuNet sees faces of 16 pixels in the largest image that is
analyzed (4096); smaller ones are too small to classify."""

_IOU_MAX_01 = 0.3
_CONTAINMENT_MAX_01 = 0.5
"""Largest overlap of two faces (intersection over union; intersection over the smaller box): above it, two scales found
the same face, or the larger scale a part of it."""

UPRIGHT_SCORE_01 = 0.9
"""A face with a lower score is checked in four rotations. By measurement on 700 portraits, 9 in 10 upright ones score
this or more and not one in 100 upside down; only scores tell, as YuNet gives the landmarks as if they were upright."""

_ROTATION_GAIN_MIN_01 = 0.05
"""A face is rotated if its surroundings score at least this much more in another rotation."""

_ROTATION_SCORE_RATIO_MIN = 1.5
"""A rotation is chosen only if its score is this many times that of the original; an upside-down face scores a half to
a hundredth of its upright score."""

_ROTATION_SIDE_PX = 1280
"""Longer side at which the rotations are compared."""

_CONTEXT_SIDES = 2.0
_CONTEXT_PX = 160

_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def detect_in_photo(detector: FaceDetector, image: RgbImage) -> list[DetectedFace]:
    """Detect the faces in a photo, sorted left to right, and the photo's rotation.

    Other rotations are tried if no face is found, or one with a low score; all faces are then from the best rotation,
    which is their `rotation_deg`.

    Args:
        image: uint8, shape (H, W, 3), RGB.
    """
    faces = detect_at_scales(detector, image)
    if detector.name == "haar" or (faces and all(face.score_01 >= UPRIGHT_SCORE_01 for face in faces)):
        return faces
    rotation_deg = _best_rotation_deg(detector, image)
    if rotation_deg:
        rotated = detect_at_scales(detector, _rotate(image, rotation_deg))
        faces = sort_by_position(_unrotate_face(face, rotation_deg, image.shape[:2]) for face in rotated)
    return [replace(face, is_rotated=is_rotated(detector, image, face)) for face in faces]


def detect_at_scales(detector: FaceDetector, image: RgbImage) -> list[DetectedFace]:
    """Detect the faces of an image in its orientation, sorted left to right, at every size of `INPUT_SIDES_PX` up to
    the image's own. The Haar cascade runs once: its scores can't be compared between sizes.

    Args:
        image: uint8, shape (H, W, 3), RGB.
    """
    faces = detector.detect(image)
    if detector.name == "haar":
        return faces
    for smaller_px, side_px in pairwise(INPUT_SIDES_PX):
        if max(image.shape[:2]) > smaller_px:
            faces = [*faces, *detector.detect(image, side_px=side_px)]
    return sort_by_position(suppress(faces, _is_same_face))


def _is_same_face(one: FaceBox, other: FaceBox) -> bool:
    is_contained = one.intersection(other) > _CONTAINMENT_MAX_01 * min(one.area, other.area)
    return is_contained or one.iou(other) > _IOU_MAX_01


def _best_rotation_deg(detector: FaceDetector, image: RgbImage) -> int:
    """Find the clockwise rotation with the best score; 0 unless another is clearly better."""
    small, _, _ = downscale(image, _ROTATION_SIDE_PX)
    scores = {0: _rotation_score(detect_at_scales(detector, small))}
    for rotation_deg in _ROTATIONS:
        scores[rotation_deg] = _rotation_score(detect_at_scales(detector, _rotate(small, rotation_deg)))
    best = max(scores, key=lambda rotation_deg: scores[rotation_deg])
    return best if scores[best] > _ROTATION_SCORE_RATIO_MIN * scores[0] else 0


def _rotation_score(faces: Iterable[DetectedFace]) -> float:
    """Score a rotation by its faces: margins above the minimum score, squared so that one certain face outweighs
    several uncertain ones."""
    return sum((face.score_01 - SCORE_MIN_01) ** 2 for face in faces)


def is_rotated(detector: FaceDetector, image: RgbImage, face: DetectedFace) -> bool:
    """Whether a face with a low score gets a better one upside down or on its side, cropped with its surroundings.

    Args:
        image: the image it was found in.
        face: False for faces of the Haar cascade, whose scores can't be compared.
    """
    if detector.name == "haar" or face.score_01 >= UPRIGHT_SCORE_01:
        return False
    crop = face.aligned_crop
    context = AlignedCrop(crop.x, crop.y, _CONTEXT_SIDES * crop.side_px, -face.rotation_deg)
    pixels, _, _ = downscale(crop_face(image, context, 0.0), _CONTEXT_PX)
    best_01 = max(
        (other.score_01 for rotation in _ROTATIONS for other in detector.detect(_rotate(pixels, rotation))),
        default=0.0,
    )
    return best_01 > face.score_01 + _ROTATION_GAIN_MIN_01


def _rotate(image: RgbImage, rotation_deg: int) -> RgbImage:
    return np.ascontiguousarray(cv2.rotate(image, _ROTATIONS[rotation_deg]), np.uint8)


def _unrotate_face(face: DetectedFace, rotation_deg: int, size: tuple[int, int]) -> DetectedFace:
    """Convert a face of the rotated image to coordinates of the original, whose height and width are `size`."""
    height, width = size
    box, points = face.box, face.landmarks
    right, below = box.x + box.width, box.y + box.height
    if rotation_deg == 90:
        moved = FaceBox(box.y, height - right, box.height, box.width)
    elif rotation_deg == 180:
        moved = FaceBox(width - right, height - below, box.width, box.height)
    else:
        moved = FaceBox(width - below, box.x, box.height, box.width)
    if points is not None:
        points = _unrotate_points(points, rotation_deg, height, width)
    return replace(face, box=moved, landmarks=points, rotation_deg=rotation_deg)


def _unrotate_points(points: NDArray[np.float32], rotation_deg: int, height: int, width: int) -> NDArray[np.float32]:
    x, y = points[:, 0], points[:, 1]
    original = {90: (y, height - x), 180: (width - x, height - y), 270: (width - y, x)}[rotation_deg]
    return np.stack(original, 1).astype(np.float32)
