"""Drawing of one synthetic face: head, features (`features`), light, blur and noise. Nobody is portrayed."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.data.synthetic.action_units import sample_action_units
from fer_core.data.synthetic.canvas import Canvas, Curve, Points, Pose, ellipse, stack_points
from fer_core.data.synthetic.features import draw_features
from fer_core.data.synthetic.identities import Identity
from fer_core.errors import InputError
from fer_core.faces import RgbImage
from fer_core.labels import Expression

SIZE_PX_MIN, SIZE_PX_MAX = 32, 512
_BLUR_01_MAX = 0.007
"""Largest standard deviation of the blur, as a share of the picture's side."""
_NOISE_MAX = 2.5
"""Largest standard deviation of the noise at middle gray, in gray levels; it grows with the root of the light."""
_SKULL_POWER, _JAW_POWER = 2.25, 2.3
_JAW_DROP = 0.11
"""How far a dropped jaw lengthens the face."""
_HAIR_ENDS = {"bob": 0.82, "long": 1.6}
"""How far down the hair behind the face reaches."""


def draw_face(expression: Expression, identity: Identity | int, rng: np.random.Generator, size_px: int) -> RgbImage:
    """Draw one face; the head fills about the central 75 % of the picture.

    Args:
        identity: the person, or a seed for `Identity.sample`.
        rng: gives intensity, pose, light, background and noise.
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
    _draw_head(canvas, person, units.jaw_drop)
    draw_features(canvas, person, units, (-0.2 * yaw + rng.normal(0, 0.006), -0.1 * pitch))
    pose = Pose(roll, yaw, pitch, 1 + 2 * scale, 0.5 + x, 0.52 + y)
    return _photograph(canvas.paint(sample_background(rng), pose, size_px), rng)


def sample_background(rng: np.random.Generator) -> RgbImage:
    """Sample a plain tone that varies softly; uint8, shape (3, 3, 3), RGB, to be stretched."""
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


def _draw_head(canvas: Canvas, identity: Identity, jaw_drop: float) -> None:
    """Draw hair at the back, clothes, neck, ears, the face and the hair over the forehead."""
    width, skin = identity.head_width, identity.skin
    _draw_back_hair(canvas, identity)
    neck = width * 0.58
    shoulders = np.array(((-1.9, 2.6), (-1.6, 1.5), (-neck, 1.16), (neck, 1.16), (1.6, 1.5), (1.9, 2.6)))
    throat = np.array(((-neck, 0.5), (neck, 0.5), (neck * 1.06, 1.18), (0.0, 1.34), (-neck * 1.06, 1.18)))
    canvas.fill(shoulders, identity.clothes)
    canvas.fill(throat, skin * 0.86)
    for side in (-1, 1):
        canvas.fill(ellipse(side * width * 0.99, 0.12, 0.105, 1.6), skin * 0.9)
        canvas.fill(ellipse(side * width * 1.0, 0.12, 0.052, 1.7), skin * 0.76)
    canvas.fill(_face_outline(identity, jaw_drop), skin)
    _draw_front_hair(canvas, identity)


def _superellipse(angles: Curve, power: Curve | float) -> Points:
    """Compute points on the curve |x|^power + |y|^power = 1."""
    circle = stack_points(np.cos(angles), np.sin(angles))
    return np.asarray(np.sign(circle) * np.abs(circle) ** (2 / np.atleast_1d(power)[:, None]))


def _face_outline(identity: Identity, jaw_drop: float) -> Points:
    angles = np.linspace(0, 2 * np.pi, 73)[:-1]
    x, y = _superellipse(angles, np.where(angles < np.pi, _JAW_POWER, _SKULL_POWER)).T
    below = np.maximum(y, 0)
    taper = 1 - identity.jaw_taper * below**1.5
    return stack_points(x * identity.head_width * taper, y + below**2 * _JAW_DROP * jaw_drop)


def _skull(identity: Identity, at_ears: float) -> Points:
    """Compute the arc of the hair over the skull; `at_ears` is the share of its volume that is left at the ends."""
    angles = np.linspace(0, -np.pi, 33)
    scale = 1 + identity.hair_volume * np.minimum(1.0, at_ears + 1.4 * np.abs(np.sin(angles)))
    return _superellipse(angles, _SKULL_POWER) * (identity.head_width, 1.0) * scale[:, None]


def _draw_back_hair(canvas: Canvas, identity: Identity) -> None:
    width = identity.head_width * 1.04 + identity.hair_volume
    if identity.hair_style == "bun":
        canvas.fill(ellipse(0.0, -1.1, 0.27, 0.75), identity.hair * 0.8)
    elif identity.hair_style == "curly":
        for angle in np.linspace(-1.1 * np.pi, 0.1 * np.pi, 17):
            curl = ellipse(width * np.cos(angle), (0.98 + identity.hair_volume) * np.sin(angle), 0.19)
            canvas.fill(curl, identity.hair * 0.92)
    elif identity.hair_style in _HAIR_ENDS:
        ends = _superellipse(np.linspace(0, np.pi, 25), 4) * (width, _HAIR_ENDS[identity.hair_style])
        canvas.fill(np.concatenate((_skull(identity, 1.0)[::-1], ends)), identity.hair * 0.8)


def _draw_front_hair(canvas: Canvas, identity: Identity) -> None:
    """Draw the hair between the top of the skull and the hairline, which runs from ear to ear over the forehead."""
    style, width = identity.hair_style, identity.head_width
    if style == "shaved":
        return
    across = np.linspace(-1, 1, 21)
    if style in ("parted", "bob", "long"):
        height, power = -0.12 + 0.42 * (np.abs(across - 0.4) / 1.4) ** 1.5, 8
    else:
        height, power = 0.02 * np.cos(across * 5), 5
    y = (identity.hairline_y + height) * (1 - np.abs(across) ** power)
    hairline = stack_points(across * width * (0.9 + 0.1 * np.abs(across)), y)
    canvas.fill(np.concatenate((_skull(identity, 0.25), hairline)), identity.hair)
    if style == "curly":
        for angle in np.linspace(1.13 * np.pi, 1.87 * np.pi, 10):
            canvas.fill(ellipse(width * 0.9 * np.cos(angle), 0.1 + 0.93 * np.sin(angle), 0.13), identity.hair)
