"""Noticing that something has changed beside the faces that are known, such as a person who comes into view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces import FaceBox, RgbImage

_CELLS_ACROSS = 64
"""Cells along the longer side of a frame."""

_PIXELS_A_CELL = 5
"""So many of a cell's pixels, along each side, are looked at: the mean of 25 is hardly moved by a camera's noise."""

_LEVELS = 15.0
_CELLS_MIN = 2
"""A scene has changed where so many cells differ by more than so many gray levels. Measured: docs/face-detection.md."""

_FACE_SIDES = 2.2
"""What lies within this many sides of a known face belongs to it: hair, hands and shoulders move as people do."""


class SceneChangeDetector:
    """What a frame looked like when its faces were searched."""

    def __init__(self, image: RgbImage) -> None:
        """Take in a frame; uint8, shape (H, W, 3), RGB."""
        self._cells = _cells(image)

    def has_changed(self, image: RgbImage, faces: Iterable[FaceBox]) -> bool:
        """Whether a later frame of the same size differs anywhere but around its known faces (pixels of the frame)."""
        differs = np.abs(_cells(image) - self._cells) > _LEVELS
        to_cells = _CELLS_ACROSS / max(image.shape[:2])
        for face in faces:
            half = _FACE_SIDES / 2 * max(face.width, face.height)
            x, y = face.x + face.width / 2, face.y + face.height / 2
            left, top, right, bottom = (
                max(0, int(edge * to_cells)) for edge in (x - half, y - half, x + half, y + half)
            )
            differs[top : bottom + 1, left : right + 1] = False
        return int(differs.sum()) >= _CELLS_MIN


def _cells(image: RgbImage) -> NDArray[np.float32]:
    """The mean green level of each cell; float32, with `_CELLS_ACROSS` cells along the longer side."""
    height, width = image.shape[:2]
    longer = max(height, width)
    step = max(1, longer // (_CELLS_ACROSS * _PIXELS_A_CELL))
    size = (max(1, round(_CELLS_ACROSS * width / longer)), max(1, round(_CELLS_ACROSS * height / longer)))
    cells: Any = cv2.resize(np.ascontiguousarray(image[::step, ::step, 1]), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cells, np.float32)
