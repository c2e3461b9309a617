"""Drawing of one synthetic face, and of scenes with several.

Nobody is portrayed: geometry, colors and hair are drawn at random, independently of each other and of the expression.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.synthetic.action_units import sample_action_units
from fer_core.data.synthetic.canvas import Canvas, Pose
from fer_core.data.synthetic.features import draw_features
from fer_core.data.synthetic.head import draw_head
from fer_core.data.synthetic.identities import Identity
from fer_core.errors import InputError
from fer_core.faces import RgbImage
from fer_core.labels import Expression

SIZE_PX_MIN, SIZE_PX_MAX = 32, 512
_BLUR_01_MAX = 0.007
"""Largest deviation of the blur, as a share of the picture's side."""
_NOISE_MAX = 2.5
"""Largest deviation of the noise at middle gray, in gray levels; like a camera's, it grows with the root of light."""


def draw_face(expression: Expression, identity: Identity | int, rng: np.random.Generator, size_px: int) -> RgbImage:
    """Draw one face; the head fills about the central 75 % of the picture.

    Args:
        expression: what the face shows.
        identity: the person, or a seed (0 or above) for `Identity.sample`.
        rng: gives intensity, pose, light, background and noise. For the same state only the action units differ
            between two expressions.
        size_px: side of the picture in pixels, 32 to 512.
    Returns:
        uint8, shape (size_px, size_px, 3), RGB.
    Raises:
        InputError: `size_px` is out of range.
    """
    if not SIZE_PX_MIN <= size_px <= SIZE_PX_MAX:
        raise InputError(f"size_px={size_px} can't be drawn. Choose {SIZE_PX_MIN} to {SIZE_PX_MAX}.")
    person = identity if isinstance(identity, Identity) else Identity.sample(np.random.default_rng(identity))
    roll, yaw, pitch = rng.normal(0, (0.06, 0.07, 0.05)).clip(-0.18, 0.18).tolist()
    x, y, scale = rng.uniform(-0.02, 0.02, 3).tolist()
    units = sample_action_units(expression, rng)
    canvas = Canvas(person.head_width)
    draw_head(canvas, person, units.jaw_drop)
    draw_features(canvas, person, units, (-0.2 * yaw + rng.normal(0, 0.006), -0.1 * pitch))
    pose = Pose(roll, yaw, pitch, 1 + 2 * scale, 0.5 + x, 0.52 + y)
    return _photograph(canvas.paint(sample_background(rng), pose, size_px), rng)


def draw_scene(rng: np.random.Generator, faces: Sequence[Expression], width_px: int, height_px: int) -> RgbImage:
    """Draw portraits of different people on a plain wall, row by row; uint8, shape (height_px, width_px, 3), RGB.

    Raises:
        InputError: the portraits would be too small to draw.
    """
    scene = np.empty((max(height_px, 0), max(width_px, 0), 3), np.uint8)
    scene[:] = rng.uniform(215, 230, 3)
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
    for number, expression in enumerate(faces):
        row, column = divmod(number, columns)
        left = round((column + 0.5) * width_px / columns - side / 2)
        top = round((row + 0.5) * height_px / rows - side / 2)
        scene[top : top + side, left : left + side] = draw_face(expression, Identity.sample(rng), rng, side)
    return scene


def sample_background(rng: np.random.Generator) -> RgbImage:
    """Draw a plain tone that varies softly; uint8, shape (3, 3, 3), RGB, to be stretched."""
    base = rng.uniform(70, 205) + rng.uniform(-13, 13, 3)
    return np.clip(base + rng.normal(0, 8, (3, 3, 1)), 0, 255).astype(np.uint8)


def _photograph(picture: NDArray[np.float32], rng: np.random.Generator) -> RgbImage:
    """Apply light, blur and noise; float32 (S, S, 3) to uint8 of the same shape."""
    size_px = len(picture)
    angle, slope = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.2)
    brightness, warmth = rng.uniform(0.86, 1.04), rng.uniform(-0.04, 0.04)
    blur_px, noise = rng.uniform(0, _BLUR_01_MAX) * size_px, np.float32(rng.uniform(0, _NOISE_MAX))
    along = np.linspace(-slope, slope, size_px, dtype=np.float32)
    light = brightness + math.cos(angle) * along[None, :] + math.sin(angle) * along[:, None]
    picture *= np.dstack((light * (1 + warmth), light, light * (1 - warmth))).astype(np.float32)
    if blur_px > 0.2:
        cv2.GaussianBlur(picture, (0, 0), blur_px, dst=picture)
    grain = rng.standard_normal((size_px, size_px), np.float32) * noise * np.sqrt(picture[:, :, 1] / 128)
    return np.clip(picture + grain[:, :, None], 0, 255).astype(np.uint8)
