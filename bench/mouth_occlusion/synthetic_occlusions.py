"""Synthetic mouth occlusions: hands, masks, scarves, and plain or patterned objects."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.corruptions.occlusions import occlude_with_glasses, occlude_with_hand

Gray = NDArray[np.uint8]
"""uint8, shape (48, 48)."""

Occlusion = Callable[[Gray, np.random.Generator], Gray]

_SIDE = 48
_OVERSAMPLING = 4
_HAND_PERCENT = (25, 30, 35, 40, 45)
"""Sizes of a hand; few, as a hand is rendered once per size."""
_MOUTH = (slice(33, 42), slice(16, 32))
"""Rows and columns of the mouth in FER2013 crops."""


def occlude_with_shape(face: Gray, rng: np.random.Generator) -> Gray:
    """Draw a bar or disc of one shade."""
    shade = np.full(face.shape, rng.uniform(0, 255)) + rng.normal(0, rng.uniform(0, 5), face.shape)
    return _blend(face, shade, _random_shape(rng))


def occlude_with_mask(face: Gray, rng: np.random.Generator) -> Gray:
    """Draw a mask from the nose to the chin, with folds."""
    rows = np.linspace(0, 1, _SIDE)[:, None] * np.ones((1, _SIDE))
    shade = rng.uniform(40, 245) + rng.uniform(-40, 20) * rows
    for fold in rng.uniform(0.6, 0.95, int(rng.integers(0, 4))):
        shade = shade - rng.uniform(8, 30) * np.exp(-(((rows - fold) / 0.012) ** 2))
    left, right, top = rng.uniform(0.06, 0.2), rng.uniform(0.8, 0.94), rng.uniform(0.5, 0.6)
    corners = [(left, top + 0.06), (0.5, top - 0.04), (right, top + 0.06), (right - 0.06, 0.9), (0.5, 1.03)]
    return _blend(face, shade, _polygon([*corners, (left + 0.06, 0.9)]))


def occlude_with_hand_or_bar(face: Gray, rng: np.random.Generator) -> Gray:
    """Draw a hand over most of the mouth; after eight failed attempts a bar in the skin's shade."""
    color = np.repeat(face[:, :, None], 3, axis=2)
    for _ in range(8):
        occluded = occlude_with_hand(color, float(rng.choice(_HAND_PERCENT)), rng)[:, :, 0]
        if (np.abs(occluded[_MOUTH].astype(int) - face[_MOUTH]) > 6).mean() > 0.65:
            return np.ascontiguousarray(occluded)
    skin = float(np.median(face[12:36, 12:36])) * rng.uniform(0.85, 1.1)
    fingers = 12 * np.sin(np.linspace(0, rng.uniform(6, 12) * np.pi, _SIDE))
    across = fingers[:, None] if rng.random() < 0.5 else fingers[None, :]
    return _blend(face, np.full(face.shape, skin) + across, _random_shape(rng))


def occlude_with_patch(face: Gray, rng: np.random.Generator) -> Gray:
    """Cover the mouth with a rotated and enlarged patch of the same image."""
    side = int(rng.integers(12, 24))
    top, left = (int(rng.integers(0, _SIDE - side)) for _ in range(2))
    piece = np.rot90(face[top : top + side, left : left + side], int(rng.integers(1, 4)))
    shade = cv2.resize(np.ascontiguousarray(piece), (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR)
    return _blend(face, shade * rng.uniform(0.6, 1.3), _random_shape(rng))


def occlude_with_scarf(face: Gray, rng: np.random.Generator) -> Gray:
    """Draw a striped scarf."""
    angle, waves = rng.uniform(0, np.pi), rng.uniform(3, 11)
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE] / _SIDE
    stripes = np.sin(2 * np.pi * waves * (rows * np.sin(angle) + columns * np.cos(angle)))
    shade = rng.uniform(40, 210) + rng.uniform(10, 60) * stripes
    top = rng.uniform(0.52, 0.62)
    return _blend(
        face,
        shade,
        _polygon([(-0.05, top), (0.5, top + rng.uniform(-0.05, 0.05)), (1.05, top), (1.05, 1.1), (-0.05, 1.1)]),
    )


def occlude_with_object(face: Gray, rng: np.random.Generator) -> Gray:
    """Draw a cup, telephone or card: one shade with a rim and a mark."""
    shade = np.full((_SIDE, _SIDE), rng.uniform(10, 245), np.float32)
    center = (int(rng.integers(16, 33)), int(rng.integers(32, 44)))
    ink = float(rng.uniform(0, 255))
    cv2.circle(shade, center, int(rng.integers(2, 7)), ink, int(rng.choice([-1, 1])), cv2.LINE_AA)
    row = int(rng.integers(28, 46))
    cv2.line(shade, (0, row), (_SIDE, row), ink, 1, cv2.LINE_AA)
    left, right = rng.uniform(0.12, 0.3), rng.uniform(0.7, 0.88)
    top = rng.uniform(0.5, 0.64)
    return _blend(face, shade, _polygon([(left, top), (right, top), (right, 1.1), (left, 1.1)]))


OCCLUSIONS: dict[str, Occlusion] = {
    "hand": occlude_with_hand_or_bar,
    "mask": occlude_with_mask,
    "scarf": occlude_with_scarf,
    "plain bar or disc": occlude_with_shape,
    "patch of the image": occlude_with_patch,
    "cup, telephone, card": occlude_with_object,
}


def occlude_eyes(face: Gray, rng: np.random.Generator) -> Gray:
    """Cover the upper half of the face; the mouth stays visible."""
    occluded = OCCLUSIONS[str(rng.choice(list(OCCLUSIONS)))](np.ascontiguousarray(face[::-1]), rng)[::-1]
    uncovered = np.arange(_SIDE)[:, None] >= 24
    return np.ascontiguousarray(np.where(uncovered, face, occluded))


def add_glasses(face: Gray, rng: np.random.Generator) -> Gray:
    """Draw glasses or sunglasses; the mouth stays visible."""
    color = np.repeat(face[:, :, None], 3, axis=2)
    return np.ascontiguousarray(occlude_with_glasses(color, float(rng.uniform(10, 95)), rng)[:, :, 0])


def jitter(face: Gray, rng: np.random.Generator) -> Gray:
    """Shift, scale and rotate the face a little, and sometimes blur it, like crops of a detector."""
    matrix = cv2.getRotationMatrix2D((23.5, 23.5), float(rng.uniform(-9, 9)), float(rng.uniform(0.88, 1.14)))
    matrix[:, 2] += rng.uniform(-3, 3, 2)
    moved = cv2.warpAffine(face, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.4:
        moved = cv2.GaussianBlur(moved, (0, 0), float(rng.uniform(0.4, 1.8)))
    noisy = moved + rng.normal(0, rng.uniform(0, 6), moved.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _random_shape(rng: np.random.Generator) -> NDArray[np.float32]:
    """Alpha mask of a random rectangle or ellipse over the mouth; float32, 0..1."""
    left, right = rng.uniform(0.1, 0.28), rng.uniform(0.72, 0.9)
    top, below = rng.uniform(0.52, 0.63), rng.uniform(0.9, 1.08)
    if rng.random() < 0.5:
        return _polygon([(left, top), (right, top), (right, below), (left, below)])
    angles = np.linspace(0, 2 * np.pi, 40)
    across, down = 0.6 * (right - left), 0.6 * (below - top)
    return _polygon(list(zip(0.5 + across * np.cos(angles), (top + below) / 2 + down * np.sin(angles), strict=True)))


def _polygon(corners: list[tuple[float, float]]) -> NDArray[np.float32]:
    canvas = np.zeros((_OVERSAMPLING * _SIDE, _OVERSAMPLING * _SIDE), np.uint8)
    cv2.fillPoly(canvas, [np.round(np.array(corners) * _OVERSAMPLING * _SIDE).astype(np.int32)], 255)
    return np.asarray(cv2.resize(canvas, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32) / 255


def _blend(face: Gray, shade: NDArray[np.floating], alpha: NDArray[np.float32]) -> Gray:
    return np.clip(np.rint(face * (1 - alpha) + shade * alpha), 0, 255).astype(np.uint8)
