"""A face in a picture: its box, its frame, and the upright square that is cut out of the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import EmptyCropError

RgbImage: TypeAlias = NDArray[np.uint8]
"""uint8, shape (H, W, 3), RGB, 0..255."""

Range: TypeAlias = tuple[float, float]
"""From, to."""

_SAMPLES = 32
"""An area is measured at so many points across and down."""


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


@dataclass(frozen=True, slots=True)
class AlignedCrop:
    """The square about a face that the pictures of FER2013 show: where its center is and how long its side, in pixels
    of its image (fractions count), and by how many degrees the face leans clockwise."""

    x: float
    y: float
    side_px: float
    roll_deg: float = 0.0

    def touches(self, image: RgbImage) -> bool:
        """Whether any of it, were it upright, lies in `image`."""
        height, width = image.shape[:2]
        half = self.side_px / 2
        return half > 0 and -half < self.x < width + half and -half < self.y < height + half

    def outside_01(self, image: RgbImage, across: Range = (-0.5, 0.5), down: Range = (-0.5, 0.5)) -> float:
        """The share of a part of the square that lies outside `image`.

        Args:
            image: uint8, shape (H, W, 3), RGB.
            across: from where to where the part reaches, from the center to the right, in sides of the square.
            down: the same downwards.
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


def crop_face(image: RgbImage, frame: AlignedCrop, margin_01: float) -> RgbImage:
    """Cut out one face: the square of `frame`, with `margin_01` of its side added on each side, turned so that the
    face is upright. What lies outside the image repeats its edge pixels.

    Args:
        image: uint8, shape (H, W, 3), RGB.
        frame: in pixels of `image`.
        margin_01: share of the side; negative cuts closer.
    Returns:
        uint8, shape (S, S, 3), RGB, a copy, of as many pixels as the square covers.
    Raises:
        EmptyCropError: the frame has no area or lies outside the image.
    """
    if not frame.touches(image):
        height, width = image.shape[:2]
        raise EmptyCropError(f"{frame} lies outside the {width}x{height} image.")
    side = max(1, round(frame.side_px * (1 + 2 * margin_01)))
    if frame.roll_deg:
        return _turned(image, frame.x, frame.y, side, frame.roll_deg)
    return _square(image, math.floor(frame.x - side / 2 + 0.5), math.floor(frame.y - side / 2 + 0.5), side)


def _square(image: RgbImage, left: int, top: int, side: int) -> RgbImage:
    """The square of `side` pixels whose first pixel is (left, top)."""
    inside = image[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
    if inside.shape[:2] == (side, side):
        return inside.copy()
    return _turned(image, left + side / 2, top + side / 2, side, 0.0)


def _turned(image: RgbImage, center_x: float, center_y: float, side: int, roll_deg: float) -> RgbImage:
    """The square of `side` pixels about the center, turned by `roll_deg` clockwise, as if it were upright."""
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
    turned = cv2.warpAffine(
        image,
        to_image,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(turned, np.uint8)
