"""Whether something covers the mouth: a small network over the edges of a crop's lower part.

It was fitted by `python -m bench.abstention --fit` on training images of FER+, clean ones against the same with drawn
hands, masks, scarves and plain or patterned things over the mouth. What it finds, and what it takes for a cover by
mistake: docs/face-path.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces import RgbImage

WEIGHTS = Path(__file__).with_name("mouth_cover.npz")

SIDE_PX = 48
_CELL_PX = 6
_CELLS = SIDE_PX // _CELL_PX
_DIRECTIONS = 8
_FIRST_ROW = 3
"""Of the rows of cells: what lies above is no part of the mouth."""
_COARSE_PX = 4

Features = NDArray[np.float32]
"""float32, shape (N, features)."""


class MouthCover(NamedTuple):
    """The network: one hidden layer between standardized features and a probability."""

    mean: Features
    scale: Features
    hidden: Features
    hidden_bias: Features
    output: Features
    output_bias: Features

    def covered_01(self, features: Features) -> NDArray[np.float32]:
        """The probability that something covers the mouth; float32, shape (N,)."""
        hidden = np.maximum((features - self.mean) / self.scale @ self.hidden + self.hidden_bias, 0)
        logits = (hidden @ self.output + self.output_bias)[:, 0]
        return np.asarray(1 / (1 + np.exp(-logits.clip(-30, 30))), np.float32)


def mouth_covered_01(crops: Sequence[RgbImage]) -> NDArray[np.float32]:
    """The probability for each crop that something covers its mouth; float32, shape (N,).

    Args:
        crops: upright, as `DetectedFace.frame` cuts them; uint8, shape (H, W, 3) RGB or (H, W) gray.
    """
    return _network().covered_01(features_of(crops))


@lru_cache(maxsize=1)
def _network() -> MouthCover:
    with np.load(WEIGHTS) as stored:
        return MouthCover(**{name: stored[name].astype(np.float32) for name in MouthCover._fields})


def small_gray(crop: RgbImage) -> NDArray[np.float32]:
    """The crop in gray, `SIDE_PX` wide and high; float32, 0..255."""
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) if crop.ndim == 3 else crop
    how = cv2.INTER_AREA if min(gray.shape) > SIDE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray, (SIDE_PX, SIDE_PX), interpolation=how), np.float32)


def features_of(crops: Sequence[RgbImage]) -> Features:
    """What the network sees: how strong the edges of each direction are in each cell of the lower part (Dalal and
    Triggs 2005, "Histograms of oriented gradients"), and its coarse shades."""
    faces = np.stack([small_gray(crop) for crop in crops])
    faces -= faces.mean(axis=(1, 2), keepdims=True)
    faces /= faces.std(axis=(1, 2), keepdims=True).clip(1.0)
    down, across = np.gradient(faces, axis=(1, 2))
    strength = np.hypot(down, across)
    turn = (np.arctan2(down, across) / np.pi) % 1 * _DIRECTIONS
    first = turn.astype(np.intp)
    later = turn - first
    places = _cell_of_pixel() + _CELLS**2 * np.arange(len(faces))[:, None, None]
    # An edge counts for the two directions that its own lies between.
    bins = [_DIRECTIONS * places + (first + step) % _DIRECTIONS for step in (0, 1)]
    shares = [strength * (1 - later), strength * later]
    sums = np.bincount(np.stack(bins).ravel(), np.stack(shares).ravel(), len(faces) * _CELLS**2 * _DIRECTIONS)
    cells = sums.reshape(len(faces), _CELLS, _CELLS, _DIRECTIONS)[:, _FIRST_ROW:] / _CELL_PX**2
    edges = np.sqrt(cells / strength.mean(axis=(1, 2)).clip(0.01)[:, None, None, None])
    shades = _means(faces, _COARSE_PX)[:, _FIRST_ROW * _CELL_PX // _COARSE_PX :]
    flat = [part.reshape(len(faces), -1) for part in (edges, shades)]
    return np.concatenate(flat, axis=1).astype(np.float32)


@lru_cache(maxsize=1)
def _cell_of_pixel() -> NDArray[np.intp]:
    rows, columns = np.mgrid[0:SIDE_PX, 0:SIDE_PX] // _CELL_PX
    return np.asarray(_CELLS * rows + columns, np.intp)


def _means(planes: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    """The mean of each square of `side_px`."""
    n, height, width = planes.shape
    squares = planes.reshape(n, height // side_px, side_px, width // side_px, side_px)
    return np.asarray(squares.mean(axis=(2, 4)), np.float32)
