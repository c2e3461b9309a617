"""Align images by their DCT coefficients: find the rotation, scale and shift that lays one image on another.

A sum of cosines has a value everywhere, so that an image is transformed by evaluating the sum elsewhere, without
opening the file.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.data.duplicates.dct_descriptor import DESCRIPTOR_SIDE, EMPHASIS

Coefficients = NDArray[np.float32]
"""DCT coefficients of N images, shape (N, 16, 16), vertical then horizontal frequency."""

Transforms = NDArray[np.float64]
"""Similarity transforms (a, b, tx, ty), shape (N, 4): the point (x, y) from the center, in sides, is sampled at
(ax - by + tx, bx + ay + ty)."""

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])

_RADIUS = 0.38
"""Radius of the compared disc around the center, in sides: small enough that no pixels outside the image enter it."""

_SPACING = 0.05
_DAMPING = 1e-3
_EMPHASIS_MAX = 16
"""Higher frequencies are not emphasized any further: they are mostly noise."""

_STEP_MAX = np.array([0.08, 0.08, 0.05, 0.05])
_TINY = 1e-6


class Alignment(NamedTuple):
    """The best transform of each image onto its reference.

    Attributes:
        transforms: shape (N, 4).
        similarity: the correlation of the transformed gray levels, -1..1; shape (N,).
        sharp_similarity: the same with fine structure counting as much as coarse, which distinguishes two faces in the
            same light.
    """

    transforms: Transforms
    similarity: NDArray[np.float32]
    sharp_similarity: NDArray[np.float32]


def _disc() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    axis = np.arange(-_RADIUS, _RADIUS + _SPACING / 2, _SPACING)
    x, y = (grid.ravel() for grid in np.meshgrid(axis, axis))
    inside = np.hypot(x, y) <= _RADIUS
    return x[inside].astype(np.float32), y[inside].astype(np.float32)


_X, _Y = _disc()


def sampling_matrix(transform: NDArray[np.float64], side: int, *, flip: bool) -> NDArray[np.float32]:
    """Build the matrix that maps the `side` x `side` lowest frequencies to gray levels of the transformed disc.

    Returns:
        float32, shape (points, side * side).
    """
    x, y = (axis[0] for axis in _sample_positions(transform[None]))
    horizontal, _ = _cosines(-x if flip else x, side)
    vertical, _ = _cosines(y, side)
    return (vertical[:, :, None] * horizontal[:, None, :]).reshape(len(_X), -1)


def flip_horizontally(images: Coefficients) -> Coefficients:
    """Flip images left to right: odd horizontal frequencies change their sign."""
    return images * np.where(np.arange(DESCRIPTOR_SIDE) % 2, -1, 1).astype(np.float32)


def align(images: Coefficients, references: Coefficients, transforms: Transforms, iterations: int) -> Alignment:
    """Transform each image so that its disc is most similar to its reference: Gauss-Newton on the correlation.

    Evangelidis and Psarakis (2008), "Parametric Image Alignment Using Enhanced Correlation Coefficient Maximization",
    section 3.2, for similarity transforms.

    Args:
        transforms: initial transforms.
        iterations: number of updates.
    """
    identity = np.tile(IDENTITY, (len(references), 1))
    target = normalized(_sample(references, identity))
    best, best_similarity = transforms.copy(), np.full(len(transforms), -1, np.float32)
    for _ in range(iterations + 1):
        step, similarity = _gauss_newton_step(images, target, transforms)
        better = similarity > best_similarity
        best[better], best_similarity[better] = transforms[better], similarity[better]
        transforms = transforms + step
    emphasis = np.minimum(EMPHASIS, _EMPHASIS_MAX).reshape(DESCRIPTOR_SIDE, DESCRIPTOR_SIDE)
    sharp = np.vecdot(
        normalized(_sample(images * emphasis, best)), normalized(_sample(references * emphasis, identity))
    )
    return Alignment(best, best_similarity, sharp)


def normalized(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shift and scale rows to mean 0 and norm 1, so that their products are correlations."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _TINY)


def _gauss_newton_step(
    images: Coefficients, target: NDArray[np.float32], transforms: Transforms
) -> tuple[Transforms, NDArray[np.float32]]:
    """Compute the next step of each transform, and the similarity before it."""
    x, y = _sample_positions(transforms)
    horizontal, horizontal_slope = _cosines(x, DESCRIPTOR_SIDE)
    vertical, vertical_slope = _cosines(y, DESCRIPTOR_SIDE)
    rows, row_slopes = np.matmul(vertical, images), np.matmul(vertical_slope, images)
    samples = np.vecdot(rows, horizontal)
    by_x, by_y = np.vecdot(rows, horizontal_slope), np.vecdot(row_slopes, horizontal)
    norm = np.maximum(np.linalg.norm(samples - samples.mean(1, keepdims=True), axis=1), _TINY)[:, None]
    current = normalized(samples)
    similarity = np.vecdot(current, target)
    jacobian = np.stack([by_x * _X + by_y * _Y, by_y * _X - by_x * _Y, by_x, by_y], axis=1) / norm[:, None]
    jacobian -= jacobian.mean(axis=2, keepdims=True)
    jacobian -= np.matmul(jacobian, current[:, :, None]) * current[:, None]
    hessian = np.matmul(jacobian, jacobian.transpose(0, 2, 1)).astype(np.float64)
    hessian += np.eye(4) * (_DAMPING * np.trace(hessian, axis1=1, axis2=2)[:, None, None] + _TINY)
    residual = target - current * similarity[:, None]
    step = np.linalg.solve(hessian, np.matmul(jacobian, residual[:, :, None]).astype(np.float64))[:, :, 0]
    return np.clip(step, -_STEP_MAX, _STEP_MAX), similarity


def _sample(images: Coefficients, transforms: Transforms) -> NDArray[np.float32]:
    """Sample the gray levels of each transformed image in the disc; shape (N, points)."""
    x, y = _sample_positions(transforms)
    return np.vecdot(np.matmul(_cosines(y, DESCRIPTOR_SIDE)[0], images), _cosines(x, DESCRIPTOR_SIDE)[0])


def _sample_positions(transforms: Transforms) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the x and y in the image of each point of the disc; each of shape (N, points)."""
    a, b, shift_x, shift_y = (transforms[:, [column]].astype(np.float32) for column in range(4))
    return a * _X - b * _Y + shift_x, b * _X + a * _Y + shift_y


def _cosines(positions: NDArray[np.float32], side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute cosines of `side` frequencies (the last axis) and their slopes at positions from the center, in sides."""
    frequency = np.pi * np.arange(side, dtype=np.float32)
    phase = (positions[..., None] + np.float32(0.5)) * frequency
    amplitude = np.where(frequency == 0, np.sqrt(0.5), 1).astype(np.float32)
    return amplitude * np.cos(phase), -amplitude * frequency * np.sin(phase)
