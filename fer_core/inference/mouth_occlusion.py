"""Whether something covers the mouth: a small network over the edges of a crop's lower part.

It was fitted by `python -m bench.abstention --fit` on training images of FER+: free mouths against the same faces with
drawn hands, masks, scarves and plain or patterned things over the mouth, and against really covered ones. What it
finds, and what it takes for a cover by mistake: docs/face-path.md.
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
"""Of the rows of cells: what lies above is no part of the mouth."""
_COARSE_PX = 4

Features = NDArray[np.float32]
"""float32, shape (N, features)."""


class MouthOcclusionNet(NamedTuple):
    """The network: one hidden layer between standardized features and a probability."""

    mean: Features
    scale: Features
    hidden: Features
    hidden_bias: Features
    output: Features
    output_bias: Features

    def occluded_01(self, features: Features) -> NDArray[np.float32]:
        """The probability that something covers the mouth; float32, shape (N,)."""
        hidden = np.maximum((features - self.mean) / self.scale @ self.hidden + self.hidden_bias, 0)
        logits = (hidden @ self.output + self.output_bias)[:, 0]
        return np.asarray(1 / (1 + np.exp(-logits.clip(-30, 30))), np.float32)


def mouth_occluded_01(faces: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probability for each face that something covers its mouth; float32, shape (N,).

    Args:
        faces: upright, as `DetectedFace.frame` cuts them, by `to_gray_48px`; float32, shape (N, `SIDE_PX`, `SIDE_PX`).
    """
    return _network().occluded_01(compute_features(faces))


@lru_cache(maxsize=1)
def _network() -> MouthOcclusionNet:
    with np.load(WEIGHTS) as stored:
        return MouthOcclusionNet(**{name: stored[name].astype(np.float32) for name in MouthOcclusionNet._fields})


def to_gray_48px(crop: RgbImage) -> NDArray[np.float32]:
    """The crop in gray, `SIDE_PX` wide and high; float32, 0..255."""
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) if crop.ndim == 3 else crop
    how = cv2.INTER_AREA if min(gray.shape) > SIDE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray, (SIDE_PX, SIDE_PX), interpolation=how), np.float32)


def compute_features(faces: NDArray[np.float32]) -> Features:
    """What the network sees: how strong the edges of each direction are in each cell of the lower part (Dalal and
    Triggs 2005, "Histograms of oriented gradients"), and its coarse shades."""
    faces = faces - faces.mean(axis=(1, 2), keepdims=True)
    faces /= faces.std(axis=(1, 2), keepdims=True).clip(1.0)
    strength, turn = _gradients(faces)
    first = turn.astype(np.int32)
    later = strength * (turn - first)
    places = _bin_of_pixel() + _CELLS**2 * _DIRECTIONS * np.arange(len(faces), dtype=np.int32)[:, None, None]
    # An edge counts for the two directions that its own lies between.
    bins = [places + first % _DIRECTIONS, places + (first + 1) % _DIRECTIONS]
    shares = [strength - later, later]
    sums = np.bincount(np.stack(bins).ravel(), np.stack(shares).ravel(), len(faces) * _CELLS**2 * _DIRECTIONS)
    cells = sums.reshape(len(faces), _CELLS, _CELLS, _DIRECTIONS)[:, _FIRST_ROW:] / _CELL_PX**2
    edges = np.sqrt(cells / strength.mean(axis=(1, 2)).clip(0.01)[:, None, None, None])
    shades = _means(faces, _COARSE_PX)[:, _FIRST_ROW * _CELL_PX // _COARSE_PX :]
    flat = [part.reshape(len(faces), -1) for part in (edges, shades)]
    return np.concatenate(flat, axis=1).astype(np.float32)


def _gradients(faces: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How strong each pixel's edge is, and its direction, 0 to `_DIRECTIONS` for half a turn."""
    n, height, width = faces.shape
    down, across = (gradient.reshape(n * height, width) for gradient in np.gradient(faces, axis=(1, 2)))
    strength, angle = (np.asarray(plane, np.float32) for plane in cv2.cartToPolar(across, down))
    turn = angle * np.float32(_DIRECTIONS / np.pi) % np.float32(_DIRECTIONS)
    return strength.reshape(faces.shape), turn.reshape(faces.shape)


@lru_cache(maxsize=1)
def _bin_of_pixel() -> NDArray[np.int32]:
    """The first bin of each pixel's cell."""
    rows, columns = np.mgrid[0:SIDE_PX, 0:SIDE_PX] // _CELL_PX
    return np.asarray(_DIRECTIONS * (_CELLS * rows + columns), np.int32)


def _means(planes: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    """The mean of each square of `side_px`."""
    n, height, width = planes.shape
    squares = planes.reshape(n, height // side_px, side_px, width // side_px, side_px)
    return np.asarray(squares.mean(axis=(2, 4)), np.float32)
