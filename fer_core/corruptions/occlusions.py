"""Occlusions: synthetic glasses and a synthetic hand.

Every function takes a face (uint8, shape (H, W, 3), RGB), a parameter and a generator, and returns a new face.
Masks come in a few styles and are cached by size.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.faces import RgbImage

Mask = NDArray[np.float32]
"""float32, shape (H, W), 0..1: share of each pixel that is covered."""

Grid = NDArray[np.float64]
"""float64: a value at each point of the canvas."""

_CANVAS_PX = 192
"""Shapes are drawn at least this large and downsampled, which makes their edges smooth."""
_CACHED = 512

EYE_LINE_01 = 0.4
"""Height of the eyes, as a share of the crop's height from the top."""
_LENS_FROM_MIDDLE_01 = 0.205
_FRAME_LEVEL = 28


class _Frame(NamedTuple):
    """A pair of glasses: the lens's half width and half height, its squareness, and where it sits; shares of the side.

    A lens is the set where |x|^p + |y|^p <= 1: an ellipse at p 2, nearly a rectangle at 5.
    """

    across: float
    down: float
    power: float
    left: float
    lower: float


_FRAMES = (
    _Frame(0.15, 0.115, 2.0, 0.0, 0.0),
    _Frame(0.165, 0.10, 5.0, 0.0, 0.005),
    _Frame(0.155, 0.125, 3.0, 0.01, 0.01),
    _Frame(0.16, 0.105, 4.0, -0.01, -0.005),
)


class _HandPose(NamedTuple):
    """Pose of a hand: the point that it heads for, and its direction (y points down)."""

    x: float
    y: float
    degrees: float


_HAND_POSES = (
    _HandPose(0.5, 0.5, -90.0),
    _HandPose(0.36, 0.5, -78.0),
    _HandPose(0.64, 0.5, -102.0),
    _HandPose(0.5, 0.72, -20.0),
    _HandPose(0.5, 0.72, -160.0),
    _HandPose(0.5, 0.62, -48.0),
    _HandPose(0.5, 0.62, -132.0),
)
_FINGERS = ((-0.195, 0.12), (-0.065, 0.02), (0.065, 0.0), (0.195, 0.05))
"""Position of each finger across the hand, and distance of its tip behind the longest; shares of the side."""
_FINGER_01 = 0.072
"""Half the width of a finger."""
_KNUCKLES_01 = 0.42
"""Distance of the knuckles behind the longest finger's tip; the back of the hand begins there."""
_GROOVE = 0.34
"""How much darker the side of a finger is than its middle."""
_HALVINGS = 18


def occlude_with_glasses(face: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """Draw glasses that absorb `percent` of the light; darker lenses have thicker rims."""
    height, width = face.shape[:2]
    style = int(rng.integers(len(_FRAMES)))
    rim_level = _FRAME_LEVEL * rng.uniform(0.4, 1.8)
    lenses, rims = _glasses(height, width, style, round(0.016 + 0.022 * percent / 100, 4))
    attenuated = face * (1 - lenses * np.float32(percent / 100))[:, :, None]
    return _blend(attenuated, np.full(3, rim_level, np.float32), rims)


def occlude_with_hand(face: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """Draw a hand over `percent` of the image, in the color of the face's center."""
    height, width = face.shape[:2]
    mask, light = _hand(height, width, int(rng.integers(len(_HAND_POSES))), percent / 100)
    middle = face[height // 4 : height - height // 4, width // 4 : width - width // 4]
    skin = np.median(middle.reshape(-1, 3), axis=0) * rng.uniform(0.85, 1.12)
    return _blend(face.astype(np.float32), light[:, :, None] * skin.astype(np.float32), mask)


def _blend(face: NDArray[np.floating], color: NDArray[np.float32], mask: Mask) -> RgbImage:
    share = mask[:, :, None]
    return np.clip(np.rint(face * (1 - share) + color * share), 0, 255).astype(np.uint8)


@lru_cache(maxsize=_CACHED)
def _glasses(height: int, width: int, style: int, rim_01: float) -> tuple[Mask, Mask]:
    """Draw the masks of the lenses, and of rims, bridge and arms."""
    frame = _FRAMES[style]
    x, y = _canvas_grid(height, width)
    x, y = x - 0.5 - frame.left, y - EYE_LINE_01 - frame.lower
    beside = np.abs(x) - _LENS_FROM_MIDDLE_01  # both lenses at once: the pair is its own mirror image

    def lens(wider: float) -> NDArray[np.bool_]:
        across, down = np.abs(beside) / (frame.across + wider), np.abs(y) / (frame.down + wider)
        return across**frame.power + down**frame.power <= 1

    glass, outline = lens(0.0), lens(rim_01)
    bar = np.abs(y + frame.down * 0.35) <= rim_01 / 1.6
    connectors = bar & (np.abs(beside) > frame.across)  # the bridge between the lenses, and the arms beyond them
    return _downsample(glass, height, width), _downsample((outline | connectors) & ~glass, height, width)


@lru_cache(maxsize=_CACHED)
def _hand(height: int, width: int, pose: int, share_01: float) -> tuple[Mask, Mask]:
    """Draw the mask of a hand that covers the share, and its shading (1 along the middle of a finger)."""
    x, y = _canvas_grid(height, width)
    hand = _HAND_POSES[pose]
    turn = math.radians(hand.degrees)
    along = (x - hand.x) * math.cos(turn) + (y - hand.y) * math.sin(turn)
    across = (y - hand.y) * math.cos(turn) - (x - hand.x) * math.sin(turn)
    outside, inside = -1.5, 1.5
    for _ in range(_HALVINGS):
        tip = (outside + inside) / 2
        if float((_depth(along - tip, across) <= 1).mean()) < share_01:
            outside = tip
        else:
            inside = tip
    depth = _depth(along - inside, across)
    light = 1 - _GROOVE * np.clip(depth, 0, 1) ** 3
    return _downsample(depth <= 1, height, width), _downsample(light, height, width)


def _depth(along: Grid, across: Grid) -> Grid:
    """Compute the distance to the middle of the nearest finger or the back of the hand, 1 at its edge.

    Args:
        along: 0 at the tip of the longest finger, negative behind it.
        across: 0 in the middle of the hand.
    """
    depth = np.full_like(along, np.inf)
    for place, behind in _FINGERS:
        beyond = np.maximum(along + behind + _FINGER_01, 0)
        before = np.maximum(-(along + _KNUCKLES_01 + 0.1), 0)  # fingers end inside the back of the hand
        depth = np.minimum(depth, np.sqrt((across - place) ** 2 + beyond**2 + before**2) / _FINGER_01)
    back = np.maximum(np.abs(across) / 0.275, (along + _KNUCKLES_01) / 0.04 + 1)
    return np.minimum(depth, np.where(back <= 1, np.clip(back, 0, 1) * 0.8, back))


def _canvas_grid(height: int, width: int) -> tuple[Grid, Grid]:
    """Compute x and y of the points of the canvas, 0..1; shapes (1, columns) and (rows, 1)."""
    factor = max(1, math.ceil(_CANVAS_PX / min(height, width)))
    columns, rows = width * factor, height * factor
    right = (np.arange(columns) + 0.5) / columns
    down = (np.arange(rows) + 0.5) / rows
    return right[None, :], down[:, None]


def _downsample(shape: NDArray[np.generic], height: int, width: int) -> Mask:
    """Downsample a shape from the canvas to the face's size; read-only, as it is cached."""
    import cv2

    small = cv2.resize(shape.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    mask = np.asarray(small, np.float32)
    mask.flags.writeable = False
    return mask
