"""A canvas for faces: collects shapes in head units and paints them for a pose and a size."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.synthetic.identities import Color
from fer_core.faces import RgbImage

Points = NDArray[np.float64]
"""float64, shape (N, 2): x and y in head units (see `Identity`)."""
Curve = NDArray[np.float64]
"""float64, shape (N,): one coordinate of the points of a curve."""

_OVERSAMPLING = 4
_HEAD_01 = 0.375
"""Half of the head's height as a share of the picture's side."""
_SHIFT = 4
"""Fractional bits of the coordinates for OpenCV."""
_DEPTH = 0.7
"""How far the middle of the face stands out, in head units."""


class Pose(NamedTuple):
    """Position of a head: angles in radians, center in shares of the picture's side."""

    roll: float
    yaw: float
    pitch: float
    scale: float
    x: float
    y: float


class Canvas:
    """Shapes of a head of half width `head_width`, in drawing order."""

    def __init__(self, head_width: float) -> None:
        self.head_width = head_width
        self._shapes: list[tuple[Points, Color, float]] = []

    def fill(self, points: Points, color: Color) -> None:
        """Fill a polygon."""
        self._shapes.append((points, color, 0.0))

    def line(self, points: Points, width: float, color: Color) -> None:
        """Draw along `points`, `width` head units wide, with round ends."""
        self._shapes.append((points, color, width))

    def paint(self, background: RgbImage, pose: Pose, size_px: int) -> NDArray[np.float32]:
        """Paint all shapes over the stretched background; float32, shape (size_px, size_px, 3), RGB, 0..255."""
        side = size_px * _OVERSAMPLING
        picture = cv2.resize(background, (side, side), interpolation=cv2.INTER_LINEAR)
        pixels = np.rint((self._project(pose) * side - 0.5) * 2**_SHIFT).astype(np.int32)
        start = 0
        for points, color, width in self._shapes:
            shape = pixels[start : (start := start + len(points))]
            if width:
                thickness = max(1, round(width * side * _HEAD_01 * pose.scale))
                cv2.polylines(picture, [shape], False, color.tolist(), thickness, cv2.LINE_8, _SHIFT)
            else:
                cv2.fillPoly(picture, [shape], color.tolist(), cv2.LINE_8, _SHIFT)
        for factor in (2, 1):  # twice by half: OpenCV's fast path
            picture = cv2.resize(picture, (size_px * factor, size_px * factor), interpolation=cv2.INTER_AREA)
        return np.asarray(picture, np.float32)

    def _project(self, pose: Pose) -> Points:
        """Convert head units to shares of the picture's side. Turning the head moves the features, not the outline."""
        x, y = np.concatenate([points for points, *_ in self._shapes]).T
        depth = np.sqrt(np.maximum(0.0, 1 - 0.85 * (x / self.head_width) ** 2 - 0.9 * y**2)) * _DEPTH
        x = x + math.sin(pose.yaw) * depth
        y = y + math.sin(pose.pitch) * depth
        cos, sin = math.cos(pose.roll) * _HEAD_01 * pose.scale, math.sin(pose.roll) * _HEAD_01 * pose.scale
        return stack_points(x * cos - y * sin + pose.x, x * sin + y * cos + pose.y)


def stack_points(x: Curve, y: Curve) -> Points:
    """Combine two curves to points; shape (N, 2)."""
    return np.array((x, y)).T


def ellipse(x: float, y: float, radius: float, aspect: float = 1.0) -> Points:
    """Compute points around an ellipse `aspect` times as high as wide; shape (24, 2)."""
    angles = np.linspace(0, 2 * np.pi, 25)[:-1]
    return stack_points(np.cos(angles), np.sin(angles)) * (radius, radius * aspect) + (x, y)


def band(x: Curve, upper: Curve, lower: Curve) -> Points:
    """Compute the polygon between two curves over the same `x`; shape (2 N, 2)."""
    return np.concatenate((stack_points(x, upper), stack_points(x, lower)[::-1]))
