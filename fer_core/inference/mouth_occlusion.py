"""Mouth occlusion: a small network on the edges in the lower part of a face crop.

It was fitted by `python -m bench.abstention --fit` on training images of FER+ without and with occlusions of the mouth,
synthetic (hands, masks, scarves, plain and patterned objects) and real. Hits and false alarms: docs/face-detection.md.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces import RgbImage

WEIGHTS = Path(__file__).with_suffix(".npz")

SIDE_PX = 48
_CELL_PX = 6
_CELLS = SIDE_PX // _CELL_PX
_DIRECTIONS = 8
_FIRST_ROW = 3
"""The first row of cells that is used; those above are not part of the mouth."""
_COARSE_PX = 4

Features = NDArray[np.float32]
"""float32, shape (N, features)."""


class MouthOcclusionNet(NamedTuple):
    """The weights: one hidden layer between standardized features and a probability."""

    mean: Features
    scale: Features
    hidden: Features
    hidden_bias: Features
    output: Features
    output_bias: Features

    def probability(self, features: Features) -> NDArray[np.float32]:
        """Probability that the mouth is covered; float32, shape (N,)."""
        hidden = np.maximum((features - self.mean) / self.scale @ self.hidden + self.hidden_bias, 0)
        logits = (hidden @ self.output + self.output_bias)[:, 0]
        return np.asarray(1 / (1 + np.exp(-logits.clip(-30, 30))), np.float32)


def mouth_occluded_01(faces: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probability for each face that its mouth is covered; float32, shape (N,).

    Args:
        faces: aligned crops without margin, from `to_gray_48px`; float32, shape (N, `SIDE_PX`, `SIDE_PX`).
    """
    return load_network().probability(compute_features(faces))


@lru_cache(maxsize=1)
def load_network() -> MouthOcclusionNet:
    """Load the weights, once."""
    with np.load(WEIGHTS) as stored:
        return MouthOcclusionNet(**{name: stored[name].astype(np.float32) for name in MouthOcclusionNet._fields})


def to_gray_48px(crop: RgbImage) -> NDArray[np.float32]:
    """Convert a crop to gray, `SIDE_PX` wide and high; float32, 0..255."""
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) if crop.ndim == 3 else crop
    interpolation = cv2.INTER_AREA if min(gray.shape) > SIDE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray, (SIDE_PX, SIDE_PX), interpolation=interpolation), np.float32)


def compute_features(faces: NDArray[np.float32]) -> Features:
    """Compute the features: histograms of oriented gradients (Dalal and Triggs 2005) of the lower part's cells, and its
    downsampled gray levels."""
    faces = faces - faces.mean(axis=(1, 2), keepdims=True)
    faces /= faces.std(axis=(1, 2), keepdims=True).clip(1.0)
    magnitude, direction = _gradients(faces)
    lower = direction.astype(np.int32)
    upper_share = magnitude * (direction - lower)
    offsets = _bin_of_pixel() + _CELLS**2 * _DIRECTIONS * np.arange(len(faces), dtype=np.int32)[:, None, None]
    # A gradient is divided between the two nearest directions.
    bins = [offsets + lower % _DIRECTIONS, offsets + (lower + 1) % _DIRECTIONS]
    shares = [magnitude - upper_share, upper_share]
    sums = np.bincount(np.stack(bins).ravel(), np.stack(shares).ravel(), len(faces) * _CELLS**2 * _DIRECTIONS)
    cells = sums.reshape(len(faces), _CELLS, _CELLS, _DIRECTIONS)[:, _FIRST_ROW:] / _CELL_PX**2
    edges = np.sqrt(cells / magnitude.mean(axis=(1, 2)).clip(0.01)[:, None, None, None])
    shades = _block_means(faces, _COARSE_PX)[:, _FIRST_ROW * _CELL_PX // _COARSE_PX :]
    flat = [part.reshape(len(faces), -1) for part in (edges, shades)]
    return np.concatenate(flat, axis=1).astype(np.float32)


def _gradients(faces: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Magnitude and direction of each pixel's gradient; 180 degrees are `_DIRECTIONS`."""
    n, height, width = faces.shape
    down, across = (gradient.reshape(n * height, width) for gradient in np.gradient(faces, axis=(1, 2)))
    magnitude, angle = (np.asarray(values, np.float32) for values in cv2.cartToPolar(across, down))
    direction = angle * np.float32(_DIRECTIONS / np.pi) % np.float32(_DIRECTIONS)
    return magnitude.reshape(faces.shape), direction.reshape(faces.shape)


@lru_cache(maxsize=1)
def _bin_of_pixel() -> NDArray[np.int32]:
    """First bin of each pixel's cell."""
    rows, columns = np.mgrid[0:SIDE_PX, 0:SIDE_PX] // _CELL_PX
    return np.asarray(_DIRECTIONS * (_CELLS * rows + columns), np.int32)


def _block_means(images: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    n, height, width = images.shape
    blocks = images.reshape(n, height // side_px, side_px, width // side_px, side_px)
    return np.asarray(blocks.mean(axis=(2, 4)), np.float32)
