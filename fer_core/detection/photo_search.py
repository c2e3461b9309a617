"""Finding faces in a photograph: near and far ones at several resolutions, and turned where the photograph lies on its
side or stands on its head."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.detection.detector import INPUT_SIDE_PX, YUNET_SCORE_MIN_01, DetectedFace, FaceDetector, sort_by_position
from fer_core.faces import AlignedCrop, FaceBox, RgbImage, crop_face

INPUT_SIDES_PX = (INPUT_SIDE_PX, 1280, 2560)
"""The longer sides at which a photograph is looked at. The last shows YuNet faces of 16 pixels in the largest picture
that is analyzed (4096); narrower ones are too small to be read."""

_OVERLAP_MAX_01 = 0.3
_INSIDE_MAX_01 = 0.5
"""Of two faces that overlap by more (intersection over union; intersection over the smaller one) the better one stays:
two looks found one face, or the closer look took a part of a face for one."""

UPRIGHT_SCORE_01 = 0.9
"""A face below is looked at in four turns. By measurement on 700 portraits: upright, 9 in 10 score this or more; on
their head not one in 100 does, and YuNet gives those landmarks as if they were upright, so that only scores tell."""

_TURNED_BY_01 = 0.05
"""A face whose surroundings score so much more in another turn is turned."""

_TURN_BEYOND = 1.5
"""Another turn must have so many times the evidence of the picture as it is; a face on its head has a half to a
hundredth of what it has upright."""

_TURNING_SIDE_PX = 1280
"""The longer side at which the four turns are compared."""

_SURROUNDINGS = 2.0
_SURROUNDINGS_PX = 160

_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def detect_in_photo(detector: FaceDetector, image: RgbImage) -> list[DetectedFace]:
    """The faces in a photograph, from left to right; in one that lies on its side or stands on its head they have the
    `rotation_deg` that makes it upright. It is turned only where nobody is found as it is, or somebody who may be
    turned; the turn with the best evidence answers alone.

    Args:
        image: uint8, shape (H, W, 3), RGB.
    """
    found = detect_at_scales(detector, image)
    if detector.name == "haar":
        return found
    if found and all(face.score_01 >= UPRIGHT_SCORE_01 for face in found):
        return found
    rotation_deg = _best_rotation_deg(detector, image)
    if rotation_deg:
        turned = detect_at_scales(detector, _rotate(image, rotation_deg))
        found = sort_by_position(_unrotate_face(face, rotation_deg, image.shape[:2]) for face in turned)
    return [replace(face, is_rotated=is_rotated(detector, image, face)) for face in found]


def detect_at_scales(detector: FaceDetector, image: RgbImage) -> list[DetectedFace]:
    """Detect the faces of a picture as it is, each once, from left to right, at every size of `INPUT_SIDES_PX` that
    the picture has. The Haar cascade runs once: its scores can't be compared between sizes.

    Args:
        image: uint8, shape (H, W, 3), RGB.
    """
    found = detector.detect(image)
    if detector.name == "haar":
        return found
    for smaller_px, side_px in pairwise(INPUT_SIDES_PX):
        if max(image.shape[:2]) > smaller_px:
            found = [*found, *detector.detect(image, side_px=side_px)]
    return sort_by_position(_merge_overlapping(found))


def _merge_overlapping(faces: Iterable[DetectedFace]) -> list[DetectedFace]:
    """The best of those that lie over each other."""
    kept: list[DetectedFace] = []
    for face in sorted(faces, key=lambda face: -face.score_01):
        if not any(_same_face(face.box, better.box) for better in kept):
            kept.append(face)
    return kept


def _same_face(one: FaceBox, other: FaceBox) -> bool:
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    smaller = min(one.width * one.height, other.width * other.height)
    inside = max(across, 0) * max(down, 0) > _INSIDE_MAX_01 * smaller
    return inside or one.overlap_01(other) > _OVERLAP_MAX_01


def _best_rotation_deg(detector: FaceDetector, image: RgbImage) -> int:
    """The clockwise turn in which the picture's faces are the most like faces; 0 where none is better than as it is."""
    small = _downscale(image, _TURNING_SIDE_PX)
    evidence = {0: _rotation_score(detect_at_scales(detector, small))}
    for rotation_deg in _ROTATIONS:
        evidence[rotation_deg] = _rotation_score(detect_at_scales(detector, _rotate(small, rotation_deg)))
    best = max(evidence, key=lambda rotation_deg: evidence[rotation_deg])
    return best if evidence[best] > _TURN_BEYOND * evidence[0] else 0


def _rotation_score(faces: Iterable[DetectedFace]) -> float:
    """How much speaks for the turn in which these were found. Turned faces score low where they are found at all, so
    what a score has over the least counts, and squared, that one sure face outweighs several doubtful ones."""
    return sum((face.score_01 - YUNET_SCORE_MIN_01) ** 2 for face in faces)


def is_rotated(detector: FaceDetector, image: RgbImage, face: DetectedFace) -> bool:
    """Whether a face that scores low, alone with its surroundings, is a better one upside down or lying on its side.

    Args:
        image: the picture it was found in.
        face: never turned where the Haar cascade found it, whose scores can't be compared.
    """
    if detector.name == "haar" or face.score_01 >= UPRIGHT_SCORE_01:
        return False
    frame = AlignedCrop(face.frame.x, face.frame.y, _SURROUNDINGS * face.frame.side_px, -face.rotation_deg)
    around = _downscale(crop_face(image, frame, 0.0), _SURROUNDINGS_PX)
    best_01 = max(
        (other.score_01 for turn in _ROTATIONS for other in detector.detect(_rotate(around, turn))), default=0.0
    )
    return best_01 > face.score_01 + _TURNED_BY_01


def _rotate(image: RgbImage, rotation_deg: int) -> RgbImage:
    return np.ascontiguousarray(cv2.rotate(image, _ROTATIONS[rotation_deg]), np.uint8)


def _downscale(image: RgbImage, side_px: int) -> RgbImage:
    """The picture with `side_px` as its longer side at most."""
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small: Any = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA)
    return small


def _unrotate_face(face: DetectedFace, rotation_deg: int, size: tuple[int, int]) -> DetectedFace:
    """A face of the picture that was turned by `rotation_deg`, where it is in the picture as it is given.

    Args:
        size: height and width of the picture as it is given.
    """
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
    given = {90: (y, height - x), 180: (width - x, height - y), 270: (width - y, x)}[rotation_deg]
    return np.stack(given, 1).astype(np.float32)
