"""Detect known faces near their last positions, in a fraction of the time of a full-frame detection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from fer_core.detection.detector import INPUT_SIDE_PX, DetectedFace, FaceDetector
from fer_core.faces import FaceBox, RgbImage

REGION_SIDES = 1.8
"""Side of the searched region, in sides of the face, which may have moved by two fifths of it."""

FACE_PX = 80
"""Larger faces are scaled to this size for the detector; boxes and landmarks stay as accurate as in the whole frame
(docs/face-detection.md)."""

_STEP_PX = 16
_GRAY = 127
_MOSAIC_AREA_MAX_01 = 0.6
"""Above this share of the frame, a full-frame detection is as fast."""


class _Region(NamedTuple):
    """A square of the frame (left, top and side in its pixels) and its position in the mosaic."""

    left: int
    top: int
    side: int
    scale: float
    mosaic_x: int
    mosaic_y: int


def detect_in_regions(
    detector: FaceDetector, image: RgbImage, boxes: Sequence[FaceBox]
) -> list[DetectedFace | None] | None:
    """Detect faces in the regions around known ones, in a mosaic of all regions.

    Args:
        image: uint8, shape (H, W, 3), RGB.
        boxes: last positions of the faces, in pixels of `image`.
    Returns:
        for each box the detected face, or None; None instead of a list if a full-frame detection is as fast.
    """
    whole = INPUT_SIDE_PX / max(*image.shape[:2], INPUT_SIDE_PX)
    tile = _tile_px(boxes, whole)
    columns, rows = _grid(len(boxes), INPUT_SIDE_PX // tile)
    covered = columns * rows * tile * tile / (image.shape[0] * image.shape[1] * whole * whole)
    if covered > _MOSAIC_AREA_MAX_01:
        return None
    mosaic = np.full((rows * tile, columns * tile, 3), _GRAY, np.uint8)
    regions = [
        _paste_region(mosaic, image, box, tile, number % columns * tile, number // columns * tile)
        for number, box in enumerate(boxes)
    ]
    faces: list[DetectedFace | None] = [None] * len(boxes)
    best = [0.0] * len(boxes)
    for face in detector.detect(mosaic):
        number = _tile_of(face.box, tile, columns)
        if number >= len(boxes):
            continue
        moved = _to_frame(face, regions[number])
        iou = moved.box.iou(boxes[number])
        if iou > best[number] and moved.aligned_crop.intersects_image(image):
            faces[number], best[number] = moved, iou
    return faces


def _tile_px(boxes: Sequence[FaceBox], whole: float) -> int:
    """Compute the side of the tiles for the largest face, which is not upscaled."""
    face = max(min(_side(box) * whole, FACE_PX) for box in boxes)
    return math.ceil(face * REGION_SIDES / _STEP_PX) * _STEP_PX


def _grid(tiles: int, side_max: int) -> tuple[int, int]:
    """Choose columns and rows with the fewest empty tiles, as square as possible, and at most `side_max` if possible:
    the detector downscales a larger mosaic."""
    grids = [(columns, math.ceil(tiles / columns)) for columns in range(1, tiles + 1)]
    return min(grids, key=lambda grid: (max(*grid, side_max), grid[0] * grid[1], max(grid)))


def _side(box: FaceBox) -> float:
    return math.sqrt(box.area)


def _paste_region(mosaic: RgbImage, image: RgbImage, box: FaceBox, tile: int, mosaic_x: int, mosaic_y: int) -> _Region:
    """Paste the region around a face into the mosaic; outside the frame it stays gray."""
    side = max(round(REGION_SIDES * _side(box)), tile)
    left, top = (round(center - side / 2) for center in box.center)
    scale = tile / side
    region = _Region(left, top, side, scale, mosaic_x, mosaic_y)
    inside = image[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
    down, across = round(max(-top, 0) * scale), round(max(-left, 0) * scale)
    height, width = round(inside.shape[0] * scale), round(inside.shape[1] * scale)
    height, width = min(height, tile - down), min(width, tile - across)
    if height > 0 and width > 0:
        step = max(1, side // (2 * tile))  # averaging more than two pixels per side is slow
        sampled = np.ascontiguousarray(inside[::step, ::step])
        small: Any = cv2.resize(sampled, (width, height), interpolation=cv2.INTER_AREA)
        mosaic[mosaic_y + down :, mosaic_x + across :][:height, :width] = small
    return region


def _tile_of(box: FaceBox, tile: int, columns: int) -> int:
    """Index of the tile with a box's center."""
    column, row = (box.x + box.width // 2) // tile, (box.y + box.height // 2) // tile
    return min(max(column, 0), columns - 1) + max(row, 0) * columns


def _to_frame(face: DetectedFace, region: _Region) -> DetectedFace:
    """Convert a face of the mosaic to coordinates of the frame."""

    def x(value: float) -> float:
        return (value - region.mosaic_x) / region.scale + region.left

    def y(value: float) -> float:
        return (value - region.mosaic_y) / region.scale + region.top

    left, top = round(x(face.box.x)), round(y(face.box.y))
    right, bottom = round(x(face.box.x + face.box.width)), round(y(face.box.y + face.box.height))
    box = FaceBox(left, top, max(1, right - left), max(1, bottom - top))
    points = None
    if face.landmarks is not None:
        points = np.array([(x(across), y(down)) for across, down in face.landmarks], np.float32)
    return DetectedFace(box, face.score_01, points)
