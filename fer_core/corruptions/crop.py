"""What a box that sits badly, or a head that leans, does to a face: everything moves; the edge is repeated.

Every function takes a face (uint8, shape (H, W, 3), RGB), a strength and a generator, and returns a new face.
"""

from __future__ import annotations

import numpy as np

from fer_core.faces import RgbImage


def shift(face: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """The crop moved by `percent` of its side in any direction, by whole pixels, so that nothing is blurred."""
    angle = rng.uniform(0, 2 * np.pi)
    height, width = face.shape[:2]
    right = round(float(np.cos(angle)) * percent / 100 * width)
    down = round(float(np.sin(angle)) * percent / 100 * height)
    columns = np.clip(np.arange(width) + right, 0, width - 1)
    rows = np.clip(np.arange(height) + down, 0, height - 1)
    return face[rows[:, None], columns[None, :]]


def crop_tighter(face: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """`percent` of the side cut off at each edge, the rest enlarged."""
    del rng
    return _warped(face, 0.0, 1 / (1 - 2 * percent / 100))


def crop_wider(face: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """`percent` of the side added at each edge, all of it shrunk."""
    import cv2

    del rng
    height, width = face.shape[:2]
    # Averaged first, as a camera farther away would: a plain warp would skip pixels.
    share = 1 / (1 + 2 * percent / 100)
    small = (max(1, round(width * share)), max(1, round(height * share)))
    shrunk = np.asarray(cv2.resize(face, small, interpolation=cv2.INTER_AREA), np.uint8)
    left, top = (width - small[0]) // 2, (height - small[1]) // 2
    columns = np.clip(np.arange(width) - left, 0, small[0] - 1)
    rows = np.clip(np.arange(height) - top, 0, small[1] - 1)
    return shrunk[rows[:, None], columns[None, :]]


def rotate(face: RgbImage, degrees: float, rng: np.random.Generator) -> RgbImage:
    """Turned about the middle by `degrees`, either way."""
    return _warped(face, degrees if rng.random() < 0.5 else -degrees, 1.0)


def _warped(face: RgbImage, degrees: float, scale: float) -> RgbImage:
    """Turned and enlarged about the middle."""
    import cv2

    height, width = face.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, scale)
    turned = cv2.warpAffine(face, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)
