"""Finding faces again near where they were a moment ago, in a fraction of the time of searching the whole frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from fer_core.detection.detector import INPUT_SIDE_PX, DetectedFace, FaceDetector
from fer_core.faces import FaceBox, RgbImage

REGION_SIDES = 1.8
"""The side of the region that is searched, in sides of the face: it may have moved by two fifths of it."""

FACE_PX = 80
"""Larger faces are scaled to this size for the detector; boxes and landmarks stay as accurate as in the whole frame
(docs/face-detection.md)."""

_STEP_PX = 16
_GRAY = 127
_WORTH_IT_01 = 0.6
"""Regions that cover more than this share of the whole frame, as the detector sees it, are not worth the trouble."""


class _Region(NamedTuple):
    """A square of the frame (left, top and side in its pixels) and its place in the mosaic (pixels of that)."""

    left: int
    top: int
    side: int
    scale: float
    at_x: int
    at_y: int


def detect_near(detector: FaceDetector, image: RgbImage, boxes: Sequence[FaceBox]) -> list[DetectedFace | None] | None:
    """Search the surroundings of faces in one call, laid side by side in a mosaic.

    Args:
        detector: any.
        image: uint8, shape (H, W, 3), RGB.
        boxes: where faces were a moment ago, in pixels of `image`.
    Returns:
        for each box the face that is there now, None where there is none; None alone where searching the whole frame
        takes hardly longer.
    """
    whole = INPUT_SIDE_PX / max(*image.shape[:2], INPUT_SIDE_PX)
    tile = _tile_px(boxes, whole)
    columns, rows = _layout(len(boxes), INPUT_SIDE_PX // tile)
    covered = columns * rows * tile * tile / (image.shape[0] * image.shape[1] * whole * whole)
    if covered > _WORTH_IT_01:
        return None
    mosaic = np.full((rows * tile, columns * tile, 3), _GRAY, np.uint8)
    regions = [
        _lay(mosaic, image, box, tile, number % columns * tile, number // columns * tile)
        for number, box in enumerate(boxes)
    ]
    found: list[DetectedFace | None] = [None] * len(boxes)
    best = [0.0] * len(boxes)
    for face in detector.detect(mosaic):
        number = _tile_of(face.box, tile, columns)
        if number >= len(boxes):
            continue
        moved = _in_frame(face, regions[number])
        overlap = moved.box.iou(boxes[number])
        if overlap > best[number] and moved.aligned_crop.intersects_image(image):
            found[number], best[number] = moved, overlap
    return found


def _tile_px(boxes: Sequence[FaceBox], whole: float) -> int:
    """The side of every tile: what the largest face needs, which is shown no larger than in the whole frame."""
    face = max(min(_side(box) * whole, FACE_PX) for box in boxes)
    return math.ceil(face * REGION_SIDES / _STEP_PX) * _STEP_PX


def _layout(tiles: int, most: int) -> tuple[int, int]:
    """Columns and rows that hold so many tiles with the fewest empty places, as square as may be, at most `most` of
    each where that is possible: a larger mosaic is shown to a detector smaller than it is."""
    layouts = [(columns, math.ceil(tiles / columns)) for columns in range(1, tiles + 1)]
    return min(layouts, key=lambda layout: (max(*layout, most), layout[0] * layout[1], max(layout)))


def _side(box: FaceBox) -> float:
    return math.sqrt(box.width * box.height)


def _lay(mosaic: RgbImage, image: RgbImage, box: FaceBox, tile: int, at_x: int, at_y: int) -> _Region:
    """Lay the surroundings of a face into the mosaic; what lies beyond the frame stays gray."""
    side = max(round(REGION_SIDES * _side(box)), tile)
    left, top = round(box.x + box.width / 2 - side / 2), round(box.y + box.height / 2 - side / 2)
    scale = tile / side
    region = _Region(left, top, side, scale, at_x, at_y)
    inside = image[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
    down, across = round(max(-top, 0) * scale), round(max(-left, 0) * scale)
    height, width = round(inside.shape[0] * scale), round(inside.shape[1] * scale)
    height, width = min(height, tile - down), min(width, tile - across)
    if height > 0 and width > 0:
        step = max(1, side // (2 * tile))  # two pixels for one are enough, and cheaper to average
        thinned = np.ascontiguousarray(inside[::step, ::step])
        small: Any = cv2.resize(thinned, (width, height), interpolation=cv2.INTER_AREA)
        mosaic[at_y + down : at_y + down + height, at_x + across : at_x + across + width] = small
    return region


def _tile_of(box: FaceBox, tile: int, columns: int) -> int:
    """The number of the tile in which a box's center lies."""
    column, row = (box.x + box.width // 2) // tile, (box.y + box.height // 2) // tile
    return min(max(column, 0), columns - 1) + max(row, 0) * columns


def _in_frame(face: DetectedFace, region: _Region) -> DetectedFace:
    """A face of the mosaic where it lies in the frame."""

    def x(value: float) -> float:
        return (value - region.at_x) / region.scale + region.left

    def y(value: float) -> float:
        return (value - region.at_y) / region.scale + region.top

    left, top = round(x(face.box.x)), round(y(face.box.y))
    right, bottom = round(x(face.box.x + face.box.width)), round(y(face.box.y + face.box.height))
    box = FaceBox(left, top, max(1, right - left), max(1, bottom - top))
    points = None
    if face.landmarks is not None:
        points = np.array([(x(across), y(down)) for across, down in face.landmarks], np.float32)
    return DetectedFace(box, face.score_01, points)
