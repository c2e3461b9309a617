"""Geometric corruptions: a misplaced box and a tilted head; outside of the crop the edge is repeated.

Every function takes a face (uint8, shape (H, W, 3), RGB), a parameter and a generator, and returns a new face.
"""

from __future__ import annotations

import numpy as np

from fer_core.faces import RgbImage


def shift(face: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """Shift the crop by `percent` of its side in a random direction, by whole pixels, so that nothing is blurred."""
    angle = rng.uniform(0, 2 * np.pi)
    height, width = face.shape[:2]
    right = round(float(np.cos(angle)) * percent / 100 * width)
    down = round(float(np.sin(angle)) * percent / 100 * height)
    columns = np.clip(np.arange(width) + right, 0, width - 1)
    rows = np.clip(np.arange(height) + down, 0, height - 1)
    return face[rows[:, None], columns[None, :]]


def crop_tighter(face: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """Cut off `percent` of the side at each edge and enlarge the rest."""
    del rng
    return _warp(face, 0.0, 1 / (1 - 2 * percent / 100))


def crop_wider(face: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """Add `percent` of the side at each edge and downscale all of it."""
    import cv2

    del rng
    height, width = face.shape[:2]
    # INTER_AREA averages; a plain warp would skip pixels.
    share = 1 / (1 + 2 * percent / 100)
    small = (max(1, round(width * share)), max(1, round(height * share)))
    downscaled = np.asarray(cv2.resize(face, small, interpolation=cv2.INTER_AREA), np.uint8)
    left, top = (width - small[0]) // 2, (height - small[1]) // 2
    columns = np.clip(np.arange(width) - left, 0, small[0] - 1)
    rows = np.clip(np.arange(height) - top, 0, small[1] - 1)
    return downscaled[rows[:, None], columns[None, :]]


def rotate(face: RgbImage, degrees: float, rng: np.random.Generator) -> RgbImage:
    """Rotate about the center by `degrees`, in either direction."""
    return _warp(face, degrees if rng.random() < 0.5 else -degrees, 1.0)


def _warp(face: RgbImage, degrees: float, scale: float) -> RgbImage:
    """Rotate and scale about the center."""
    import cv2

    height, width = face.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, scale)
    rotated = cv2.warpAffine(face, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(rotated, np.uint8)
