"""Pictures moved within their frame, as sums of waves: what a mirrored, turned, cropped or shifted one looks like at
its middle, and which move lays one picture on another.

A sum of cosine waves has a value everywhere, so that moving one is evaluating it elsewhere: no picture is opened.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.data.duplicates.detail import DETAIL_SIDE, RISE

Waves = NDArray[np.float32]
"""Frequencies of N pictures, shape (N, 16, 16), down then across."""

Moves = NDArray[np.float64]
"""Shape (N, 4): a point (x, y) from the middle, in sides, shows what was at (ax - by + tx, bx + ay + ty)."""

_MIDDLE = 0.38
"""Radius of the disc about the middle that is compared, in sides: nothing that came in from outside lies there."""

_STEP = 0.05
_DAMPING = 1e-3
_RISE_MAX = 16
"""Shorter waves are not raised any further: they are mostly noise."""

_LONGEST = np.array([0.08, 0.08, 0.05, 0.05])
_TINY = 1e-6


class Fit(NamedTuple):
    """How each picture lies best on its other; shapes (N, 4) and (N,).

    Attributes:
        moves: the best move.
        similarity: the correlation of the gray levels then, -1..1.
        sharp_similarity: the same with small shapes counting as much as large ones: what tells two faces apart that are
            lit alike.
    """

    moves: Moves
    similarity: NDArray[np.float32]
    sharp_similarity: NDArray[np.float32]


def _disc() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    places = np.arange(-_MIDDLE, _MIDDLE + _STEP / 2, _STEP)
    x, y = (axis.ravel() for axis in np.meshgrid(places, places))
    inside = np.hypot(x, y) <= _MIDDLE
    return x[inside].astype(np.float32), y[inside].astype(np.float32)


_X, _Y = _disc()
UNMOVED = (1.0, 0.0, 0.0, 0.0)


def view(move: tuple[float, float, float, float], side: int, *, mirrored: bool) -> NDArray[np.float32]:
    """What a move shows of the middle, as a matrix: points times frequencies, of the `side` x `side` lowest.

    Returns:
        float32, shape (points, side * side).
    """
    x, y = (places[0] for places in _places(np.array([move])))
    along, _ = _cosines(-x if mirrored else x, side)
    upright, _ = _cosines(y, side)
    return (upright[:, :, None] * along[:, None, :]).reshape(len(_X), -1)


def mirrored(pictures: Waves) -> Waves:
    """Pictures left to right: waves with an odd number of half periods across change their sign."""
    return pictures * np.where(np.arange(DETAIL_SIDE) % 2, -1, 1).astype(np.float32)


def laid_on(pictures: Waves, others: Waves, moves: Moves, rounds: int) -> Fit:
    """Move each picture so that its middle is as much as possible like the other's: Gauss-Newton on the correlation.

    Evangelidis and Psarakis (2008), "Parametric Image Alignment Using Enhanced Correlation Coefficient Maximization",
    section 3.2, for moves that turn, scale and shift.

    Args:
        moves: where to begin.
        rounds: how often the moves are improved.
    """
    middle = np.tile([UNMOVED], (len(others), 1))
    wanted = normalized(_shown(others, middle))
    best, found = moves.copy(), np.full(len(moves), -1, np.float32)
    for _ in range(rounds + 1):
        step, similarity = _improved(pictures, wanted, moves)
        better = similarity > found
        best[better], found[better] = moves[better], similarity[better]
        moves = moves + step
    small = np.minimum(RISE, _RISE_MAX).reshape(DETAIL_SIDE, DETAIL_SIDE)
    sharp = np.vecdot(normalized(_shown(pictures * small, best)), normalized(_shown(others * small, middle)))
    return Fit(best, found, sharp)


def normalized(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows with mean 0 and length 1, so that their products are correlations."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _TINY)


def _improved(pictures: Waves, wanted: NDArray[np.float32], moves: Moves) -> tuple[Moves, NDArray[np.float32]]:
    """The next step of each move, and how alike the pictures are where it is now."""
    x, y = _places(moves)
    along, along_slope = _cosines(x, DETAIL_SIDE)
    upright, upright_slope = _cosines(y, DETAIL_SIDE)
    rows, sloping = np.matmul(upright, pictures), np.matmul(upright_slope, pictures)
    shown = np.vecdot(rows, along)
    by_x, by_y = np.vecdot(rows, along_slope), np.vecdot(sloping, along)
    length = np.maximum(np.linalg.norm(shown - shown.mean(1, keepdims=True), axis=1), _TINY)[:, None]
    ours = normalized(shown)
    similarity = np.vecdot(ours, wanted)
    slopes = np.stack([by_x * _X + by_y * _Y, by_y * _X - by_x * _Y, by_x, by_y], axis=1) / length[:, None]
    slopes -= slopes.mean(axis=2, keepdims=True)
    slopes -= np.matmul(slopes, ours[:, :, None]) * ours[:, None]
    curve = np.matmul(slopes, slopes.transpose(0, 2, 1)).astype(np.float64)
    curve += np.eye(4) * (_DAMPING * np.trace(curve, axis1=1, axis2=2)[:, None, None] + _TINY)
    left = wanted - ours * similarity[:, None]
    step = np.linalg.solve(curve, np.matmul(slopes, left[:, :, None]).astype(np.float64))[:, :, 0]
    return np.clip(step, -_LONGEST, _LONGEST), similarity


def _shown(pictures: Waves, moves: Moves) -> NDArray[np.float32]:
    """The gray levels at the middle of each picture after its move; shape (N, points)."""
    x, y = _places(moves)
    return np.vecdot(np.matmul(_cosines(y, DETAIL_SIDE)[0], pictures), _cosines(x, DETAIL_SIDE)[0])


def _places(moves: Moves) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where in the picture each point of the middle shows; two of shape (N, points)."""
    a, b, across, down = (moves[:, [place]].astype(np.float32) for place in range(4))
    return a * _X - b * _Y + across, b * _X + a * _Y + down


def _cosines(places: NDArray[np.float32], side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The waves at some places from the middle, in sides, and their slopes; a further axis of `side` frequencies."""
    number = np.pi * np.arange(side, dtype=np.float32)
    phase = (places[..., None] + np.float32(0.5)) * number
    height = np.where(number == 0, np.sqrt(0.5), 1).astype(np.float32)
    return height * np.cos(phase), -height * number * np.sin(phase)
