"""Detect scene changes outside the known faces, such as a person coming into view."""

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
"""Sampled pixels of a cell along each side; the mean of 25 is hardly affected by camera noise."""

_DIFFERENCE_MIN = 15.0
_CELLS_MIN = 2
"""A scene has changed if this many cells differ by more gray levels. Measured: docs/face-detection.md."""

_FACE_MASK_SIDES = 2.2
"""Side of the masked square around a known face, in sides of the face: hair, hands and shoulders move too."""


class SceneChangeDetector:
    """Compares frames with the one in which faces were detected."""

    def __init__(self, image: RgbImage) -> None:
        """Store the reference frame; uint8, shape (H, W, 3), RGB."""
        self._cells = _cells(image)

    def has_changed(self, image: RgbImage, faces: Iterable[FaceBox]) -> bool:
        """Whether a later frame of the same size differs outside its known faces."""
        differs = np.abs(_cells(image) - self._cells) > _DIFFERENCE_MIN
        to_cells = _CELLS_ACROSS / max(image.shape[:2])
        for face in faces:
            half = _FACE_MASK_SIDES / 2 * max(face.width, face.height)
            x, y = face.center
            left, top, right, bottom = (
                max(0, int(edge * to_cells)) for edge in (x - half, y - half, x + half, y + half)
            )
            differs[top : bottom + 1, left : right + 1] = False
        return int(differs.sum()) >= _CELLS_MIN


def _cells(image: RgbImage) -> NDArray[np.float32]:
    """Mean green level of each cell; float32, with `_CELLS_ACROSS` cells along the longer side."""
    height, width = image.shape[:2]
    longer = max(height, width)
    step = max(1, longer // (_CELLS_ACROSS * _PIXELS_A_CELL))
    size = (max(1, round(_CELLS_ACROSS * width / longer)), max(1, round(_CELLS_ACROSS * height / longer)))
    cells: Any = cv2.resize(np.ascontiguousarray(image[::step, ::step, 1]), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cells, np.float32)
