"""Face boxes and aligned face crops."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import EmptyCropError

RgbImage: TypeAlias = NDArray[np.uint8]
"""uint8, shape (H, W, 3), RGB, 0..255."""

_SAMPLES = 32
"""Points across and down at which an area is sampled."""


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A rectangle in pixels of its image: left, top, width, height; it may reach over the image's edge."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """Area in pixels."""
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        """x and y of the center."""
        return self.x + self.width / 2, self.y + self.height / 2

    def as_list(self) -> list[int]:
        """`[x, y, width, height]`."""
        return [self.x, self.y, self.width, self.height]

    def scaled(self, across: float, down: float) -> FaceBox:
        """The box in an image of another size, by the factors of its width and height."""
        return FaceBox(
            round(self.x * across), round(self.y * down), round(self.width * across), round(self.height * down)
        )

    def intersection(self, other: FaceBox) -> int:
        """Area in pixels that is shared with `other`."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(across, 0) * max(down, 0)

    def iou(self, other: FaceBox) -> float:
        """Intersection over union with `other`, 0..1."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union else 0.0


@dataclass(frozen=True, slots=True)
class AlignedCrop:
    """A square crop about a face, framed as in FER2013: its center and side in pixels of the image (not rounded), and
    the face's roll in degrees, clockwise."""

    x: float
    y: float
    side_px: float
    roll_deg: float = 0.0

    def intersects_image(self, image: RgbImage) -> bool:
        """Whether any of the square, without its roll, lies in `image`."""
        height, width = image.shape[:2]
        half = self.side_px / 2
        return half > 0 and -half < self.x < width + half and -half < self.y < height + half

    def truncation_01(
        self,
        image: RgbImage,
        across: tuple[float, float] = (-0.5, 0.5),
        down: tuple[float, float] = (-0.5, 0.5),
    ) -> float:
        """Compute which share of a region of the square lies outside `image`.

        Args:
            image: uint8, shape (H, W, 3), RGB.
            across: left and right end of the region, from the center, in sides of the square.
            down: its upper and lower end.
        """
        height, width = image.shape[:2]
        reach = self.side_px * math.hypot(max(map(abs, across)), max(map(abs, down)))
        if reach <= self.x <= width - reach and reach <= self.y <= height - reach:
            return 0.0  # whatever its roll
        steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
        right, below = np.meshgrid(*(self.side_px * (low + (high - low) * steps) for low, high in (across, down)))
        roll = math.radians(self.roll_deg)
        x = self.x + right * math.cos(roll) - below * math.sin(roll)
        y = self.y + right * math.sin(roll) + below * math.cos(roll)
        return float(1 - ((x >= 0) & (x < width) & (y >= 0) & (y < height)).mean())


def crop_face(image: RgbImage, crop: AlignedCrop, margin_01: float) -> RgbImage:
    """Crop one face and rotate it upright. Outside the image, edge pixels repeat.

    Args:
        image: uint8, shape (H, W, 3), RGB.
        crop: in pixels of `image`.
        margin_01: added on each side, as a share of the crop's side; negative for a tighter crop.
    Returns:
        uint8, shape (S, S, 3), RGB, a copy at the image's resolution.
    Raises:
        EmptyCropError: the crop has no area or lies outside the image.
    """
    if not crop.intersects_image(image):
        height, width = image.shape[:2]
        raise EmptyCropError(f"{crop} lies outside the {width}x{height} image.")
    side = max(1, round(crop.side_px * (1 + 2 * margin_01)))
    if crop.roll_deg:
        return _warp_upright(image, crop.x, crop.y, side, crop.roll_deg)
    left, top = (math.floor(center - side / 2 + 0.5) for center in (crop.x, crop.y))
    inside = image[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
    if inside.shape[:2] == (side, side):
        return inside.copy()
    return _warp_upright(image, left + side / 2, top + side / 2, side, 0.0)


def _warp_upright(image: RgbImage, center_x: float, center_y: float, side: int, roll_deg: float) -> RgbImage:
    import cv2

    roll = math.radians(roll_deg)
    across, down = math.cos(roll), math.sin(roll)
    # From a pixel of the crop to its place in the image; the center of pixel (0, 0) is at (0.5, 0.5) of both.
    half = (side - 1) / 2
    to_image = np.array(
        [
            [across, -down, center_x - 0.5 - half * (across - down)],
            [down, across, center_y - 0.5 - half * (down + across)],
        ]
    )
    upright = cv2.warpAffine(
        image,
        to_image,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(upright, np.uint8)
