"""What a face is drawn on: a list of shapes in head units, painted in one go for a pose and a size."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.synthetic.identities import Color, mix
from fer_core.faces import RgbImage

Points: TypeAlias = NDArray[np.float64]
"""float64, shape (N, 2): x and y in head units (see `Identity`)."""
Curve: TypeAlias = NDArray[np.float64]
"""float64, shape (N,): one coordinate of the points of a curve."""

_HALVINGS = 2
OVERSAMPLING = 2**_HALVINGS
"""Everything is painted this many times larger and shrunk by area, half by half: that makes the edges smooth."""
HEAD_01 = 0.375
"""Half of the head's height as a share of the picture's side."""
_SHIFT = 4
"""Fractional bits of the coordinates that OpenCV is given."""
_DEPTH = 0.7
"""How far the middle of the face stands out, in head units."""
_FLAT = 128
"""The value of the shade layer that changes nothing; lower is darker, higher lighter."""
_SHADE_BLUR = 0.075
"""Deviation of the shade layer's blur, in head units."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head is turned and where it is.

    Angles are in radians: `roll` leans the head; `yaw` and `pitch` turn it a little, which moves what
    stands out (the features) and leaves the outline. `center` is in shares of the picture's side.
    """

    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    scale: float = 1.0
    center: tuple[float, float] = (0.5, 0.52)


class _Shape(NamedTuple):
    """A filled polygon (`width` 0) or an open line; on the shade layer when `color` is a number."""

    points: Points
    width: float
    color: Color | int


@dataclass(slots=True)
class Canvas:
    """A face in the making, for a head of half width `head_width` in head units."""

    head_width: float
    _shapes: list[_Shape] = field(default_factory=list)

    def fill(self, points: Points, color: Color) -> None:
        """Fill the polygon `points`."""
        self._shapes.append(_Shape(points, 0.0, color))

    def dot(self, x: float, y: float, radius: float, color: Color, flatten: float = 1.0) -> None:
        """Fill a circle, or an ellipse whose height is `flatten` times its width."""
        self.fill(CIRCLE * (radius, radius * flatten) + (x, y), color)

    def line(self, points: Points, width: float, color: Color) -> None:
        """Draw along `points`, `width` head units wide, with round ends."""
        self._shapes.append(_Shape(points, width, color))

    def ribbon(self, points: Points, widths: Curve, color: Color) -> None:
        """Draw along `points` with a width of its own at each, in head units."""
        along = np.empty_like(points)
        along[1:-1] = points[2:] - points[:-2]
        along[0], along[-1] = points[1] - points[0], points[-1] - points[-2]
        half = along[:, ::-1] * (-0.5, 0.5) * (widths / np.sqrt((along * along).sum(1)))[:, None]
        self.fill(np.concatenate((points + half, (points - half)[::-1])), color)

    def tint(self, points: Points, amount: int) -> None:
        """Make the polygon `points` softly lighter (`amount` above 0) or darker, in levels of 128."""
        self._shapes.append(_Shape(points, 0.0, _FLAT + amount))

    def tint_dot(self, x: float, y: float, radius: float, amount: int, flatten: float = 1.0) -> None:
        """Make a circle or ellipse softly lighter or darker, in levels of 128."""
        self.tint(CIRCLE * (radius, radius * flatten) + (x, y), amount)

    def paint(self, backdrop: RgbImage, pose: Pose, size_px: int) -> NDArray[np.float32]:
        """The picture of all shapes over `backdrop`, in the order they were drawn.

        Args:
            backdrop: uint8, shape (h, w, 3), RGB, of any size; it is stretched.
            pose: where the head is.
            size_px: side of the picture in pixels.
        Returns:
            float32, shape (size_px, size_px, 3), RGB, about 0..255.
        """
        side = size_px * OVERSAMPLING
        large = cv2.resize(backdrop, (side, side), interpolation=cv2.INTER_LINEAR)
        shade = np.full((size_px, size_px), _FLAT, np.uint8)
        unit_px = size_px * HEAD_01 * pose.scale
        placed = self._placed(pose)
        at_large, at_small = (np.rint((placed * s - 0.5) * 2**_SHIFT).astype(np.int32) for s in (side, size_px))
        start = 0
        for points, width, color in self._shapes:
            here = slice(start, start + len(points))
            start += len(points)
            if isinstance(color, int):
                cv2.fillPoly(shade, [at_small[here]], (color,), cv2.LINE_AA, _SHIFT)
            elif width == 0:
                cv2.fillPoly(large, [at_large[here]], _rgb(color), cv2.LINE_8, _SHIFT)
            else:
                thick = max(1, round(width * unit_px * OVERSAMPLING))
                cv2.polylines(large, [at_large[here]], False, _rgb(color), thick, cv2.LINE_8, _SHIFT)
        for _ in range(_HALVINGS):
            side //= 2
            large = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(shade.astype(np.float32) / _FLAT, (0, 0), _SHADE_BLUR * unit_px)
        small = large.astype(np.float32)
        small *= cv2.merge((soft, soft, soft))
        return small

    def _placed(self, pose: Pose) -> Points:
        """The points of all shapes, from head units to shares of the picture's side; shape (N, 2)."""
        x, y = np.concatenate([shape.points for shape in self._shapes]).T
        out = np.sqrt(np.maximum(0.0, 1 - 0.85 * (x / self.head_width) ** 2 - 0.9 * y**2)) * _DEPTH
        x = x + math.sin(pose.yaw) * out
        y = y + math.sin(pose.pitch) * out
        cos, sin = math.cos(pose.roll) * HEAD_01 * pose.scale, math.sin(pose.roll) * HEAD_01 * pose.scale
        return pair(x * cos - y * sin + pose.center[0], x * sin + y * cos + pose.center[1])


def pair(x: Curve, y: Curve) -> Points:
    """Two curves as points; shape (N, 2)."""
    points = np.empty((len(x), 2))
    points[:, 0] = x
    points[:, 1] = y
    return points


_TURN = np.linspace(0, 2 * np.pi, 25)[:-1]
CIRCLE = pair(np.cos(_TURN), np.sin(_TURN))
"""Points around a circle of radius 1; shape (24, 2)."""


def closed(x: Curve, upper: Curve, lower: Curve) -> Points:
    """The polygon between two curves over the same `x`; shape (2 N, 2)."""
    return np.concatenate((pair(x, upper), pair(x, lower)[::-1]))


def crease(skin: Color, strength_01: float) -> Color:
    """The color of a fold of skin; at `strength_01` 0 it can't be seen. Folds in dark skin are relatively darker,
    so that they can be seen as well."""
    darkest = min(0.58, 0.26 + 0.0024 * float(skin.sum() / 3))
    return mix(skin, skin * darkest, min(strength_01, 1.0))


def _rgb(color: Color) -> tuple[float, float, float]:
    red, green, blue = color.tolist()
    return min(max(red, 0.0), 255.0), min(max(green, 0.0), 255.0), min(max(blue, 0.0), 255.0)
