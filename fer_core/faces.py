"""A face in a picture: its box, and the square that is cut out around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import EmptyCropError

RgbImage: TypeAlias = NDArray[np.uint8]
"""uint8, shape (H, W, 3), RGB, 0..255."""


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A rectangle in pixels of its image: left, top, width, height; it may reach over the image's edge."""

    x: int
    y: int
    width: int
    height: int

    def as_list(self) -> list[int]:
        """`[x, y, width, height]`."""
        return [self.x, self.y, self.width, self.height]

    def overlap_01(self, other: FaceBox) -> float:
        """Intersection over union with `other`, 0..1."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        shared = max(across, 0) * max(down, 0)
        union = self.width * self.height + other.width * other.height - shared
        return shared / union if union else 0.0


def crop_face(image: RgbImage, box: FaceBox, margin_01: float) -> RgbImage:
    """Cut out one face: a square about the box's centre, its side the longer side of the box, with
    `margin_01` of that side added on each side. What lies outside the image repeats its edge pixels.

    Args:
        image: uint8, shape (H, W, 3), RGB.
        box: pixels of `image`.
        margin_01: share of the side; negative cuts closer.
    Returns:
        uint8, shape (S, S, 3), RGB, a copy.
    Raises:
        EmptyCropError: the box has no area or lies outside the image.
    """
    height, width = image.shape[:2]
    inside_x = min(box.x + box.width, width) - max(box.x, 0)
    inside_y = min(box.y + box.height, height) - max(box.y, 0)
    if inside_x <= 0 or inside_y <= 0:
        raise EmptyCropError(f"Face box {box.as_list()} lies outside the {width}x{height} image.")
    side = max(1, round(max(box.width, box.height) * (1 + 2 * margin_01)))
    left = box.x + box.width // 2 - side // 2
    top = box.y + box.height // 2 - side // 2
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    return image[rows[:, None], columns[None, :]]
