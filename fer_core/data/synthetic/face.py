"""Draw one face that shows an expression: a calm illustration, ready as a face crop.

Nothing here is a photograph and nobody is portrayed: geometry, tones and hair are drawn at random, each
independently of the others, and the expression follows the facial actions in `drawing_actions`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.synthetic.action_units import act
from fer_core.data.synthetic.canvas import Canvas, Pose
from fer_core.data.synthetic.eyes_nose import draw_features
from fer_core.data.synthetic.head import backdrop, draw_head
from fer_core.data.synthetic.identities import Identity, mix
from fer_core.errors import InputError
from fer_core.faces import RgbImage
from fer_core.labels import Expression

SIZE_PX_MIN, SIZE_PX_MAX = 32, 512
_BLUR_01_MAX = 0.007
"""Largest deviation of the blur, as a share of the picture's side."""
_NOISE_MAX = 2.5
"""Largest deviation of the noise at middle gray, in gray levels; like a camera's, it grows with the root of light."""
_MIDDLE_GRAY = 128


@dataclass(frozen=True, slots=True)
class _Shot:
    """What changes from picture to picture and isn't the expression."""

    pose: Pose
    gaze: tuple[float, float]
    light_angle: float
    light_slope: float
    brightness: float
    warmth: float
    blur_01: float
    noise: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> _Shot:
        roll, yaw, pitch = rng.normal(0, (0.06, 0.07, 0.05)).clip(-0.18, 0.18).tolist()
        x, y, scale = rng.uniform(-0.02, 0.02, 3).tolist()
        return cls(
            pose=Pose(roll, yaw, pitch, 1 + 2 * scale, (0.5 + x, 0.52 + y)),
            gaze=(-0.2 * yaw + float(rng.normal(0, 0.006)), -0.1 * pitch),
            light_angle=float(rng.uniform(0, 2 * math.pi)),
            light_slope=float(rng.uniform(0, 0.2)),
            brightness=float(rng.uniform(0.86, 1.04)),
            warmth=float(rng.uniform(-0.04, 0.04)),
            blur_01=float(rng.uniform(0, _BLUR_01_MAX)),
            noise=float(rng.uniform(0, _NOISE_MAX)),
        )


def draw_face(expression: Expression, identity: Identity | int, rng: np.random.Generator, size_px: int) -> RgbImage:
    """One drawn face; the head fills about the central 75 % of the picture.

    Args:
        expression: what the face shows.
        identity: who it is, or a seed (0 or above) for `Identity.sample`.
        rng: gives intensity, pose, light, backdrop and noise. For the same state only the facial actions
            differ between two expressions.
        size_px: side of the picture in pixels, 32 to 512.
    Returns:
        uint8, shape (size_px, size_px, 3), RGB.
    Raises:
        InputError: `size_px` is out of range.
    """
    if not SIZE_PX_MIN <= size_px <= SIZE_PX_MAX:
        raise InputError(f"size_px={size_px} can't be drawn. Choose {SIZE_PX_MIN} to {SIZE_PX_MAX}.")
    who = identity if isinstance(identity, Identity) else Identity.sample(np.random.default_rng(identity))
    shot = _Shot.sample(rng)
    actions = act(expression, rng)
    canvas = Canvas(who.head_width)
    draw_head(canvas, who, actions)
    draw_features(canvas, who, actions, shot.gaze)
    return _develop(canvas.paint(backdrop(rng), shot.pose, size_px), shot, rng)


def draw_scene(rng: np.random.Generator, faces: Sequence[Expression], width_px: int, height_px: int) -> RgbImage:
    """Portraits on a plain wall: one picture with several faces, each of another person.

    Args:
        rng: gives the people and everything about the portraits.
        faces: what they show, row by row from the left; none leaves the wall bare.
        width_px: of the whole picture.
        height_px: of the whole picture.
    Returns:
        uint8, shape (height_px, width_px, 3), RGB.
    Raises:
        InputError: the portraits would be too small to draw.
    """
    wall = mix(np.full(3, 226.0), rng.uniform(190, 240, 3), 0.3)
    scene = np.empty((max(height_px, 0), max(width_px, 0), 3), np.uint8)
    scene[:] = wall.astype(np.uint8)
    if not faces:
        return scene
    columns = min(range(1, len(faces) + 1), key=lambda n: -min(width_px / n, height_px / math.ceil(len(faces) / n)))
    rows = math.ceil(len(faces) / columns)
    side = min(int(0.9 * min(width_px / columns, height_px / rows)), SIZE_PX_MAX)
    if side < SIZE_PX_MIN:
        raise InputError(
            f"{len(faces)} faces don't fit in {width_px}x{height_px} pixels: each would be {side} px wide, "
            f"at least {SIZE_PX_MIN} are needed. Choose a larger picture or fewer faces."
        )
    for place, expression in enumerate(faces):
        row, column = divmod(place, columns)
        left = round((column + 0.5) * width_px / columns - side / 2)
        top = round((row + 0.5) * height_px / rows - side / 2)
        scene[top : top + side, left : left + side] = draw_face(expression, Identity.sample(rng), rng, side)
    return scene


def _develop(picture: NDArray[np.float32], shot: _Shot, rng: np.random.Generator) -> RgbImage:
    """Light, blur and noise; float32 (S, S, 3) to uint8 of the same shape."""
    size_px = len(picture)
    right, down = _grid(size_px)
    slope = shot.light_slope
    light = shot.brightness + slope * math.cos(shot.light_angle) * right + slope * math.sin(shot.light_angle) * down
    picture *= cv2.merge((light * (1 + shot.warmth), light, light * (1 - shot.warmth)))
    if shot.blur_01 * size_px > 0.2:
        cv2.GaussianBlur(picture, (0, 0), shot.blur_01 * size_px, dst=picture)
    grain = rng.standard_normal((size_px, size_px), np.float32) * np.float32(shot.noise)
    grain *= cv2.sqrt(picture[:, :, 1] / np.float32(_MIDDLE_GRAY))
    picture += cv2.merge((grain, grain, grain))
    return np.clip(picture, 0, 255).astype(np.uint8)


@lru_cache(maxsize=8)
def _grid(size_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How far right and down each pixel lies, -1..1; float32, shapes (1, S) and (S, 1)."""
    along = np.linspace(-1, 1, size_px, dtype=np.float32)
    return along[None, :], along[:, None]
