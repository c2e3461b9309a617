"""Whether a face's crop has changed enough to be classified again."""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces import FaceBox, RgbImage

CROP_CHANGE_MAX_01 = 0.15
"""A face has changed if a cell of its crop differs by more than this share of the crop's contrast. Measured:
docs/face-detection.md."""

_CELLS = 12
_THUMBNAIL_PX = 48
_CONTRAST_MIN = 8.0
"""In gray levels; keeps camera noise in a flat crop from counting as a change."""

Pixels: TypeAlias = NDArray[np.uint8]
"""A crop; uint8, shape (channels, side, side)."""


def is_same(before: Pixels | None, after: Pixels) -> bool:
    """Whether a crop has hardly changed; False without an earlier one."""
    return before is not None and crop_change_01(before, after) <= CROP_CHANGE_MAX_01


def thumbnail(image: RgbImage, box: FaceBox) -> Pixels:
    """Downscale the green channel inside a box; uint8, shape (1, `_THUMBNAIL_PX`, `_THUMBNAIL_PX`)."""
    step = max(1, min(box.width, box.height) // (2 * _THUMBNAIL_PX))
    top, left = max(box.y, 0), max(box.x, 0)
    inside = image[top : box.y + box.height : step, left : box.x + box.width : step, 1]
    if not inside.size:
        return np.zeros((1, _THUMBNAIL_PX, _THUMBNAIL_PX), np.uint8)
    small = cv2.resize(np.ascontiguousarray(inside), (_THUMBNAIL_PX, _THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)[None]


def crop_change_01(before: Pixels, after: Pixels) -> float:
    """Compute the largest change of a crop: the highest mean difference of a cell (a twelfth of the side), in standard
    deviations of the crop.

    Args:
        before: uint8, shape (channels, S, S).
        after: the same.
    """
    differences = np.abs(before.astype(np.float32) - after.astype(np.float32)).mean(0)
    cells: Any = cv2.resize(differences, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    return float(cells.max() / max(float(before.std()), _CONTRAST_MIN))
