"""Search for augmented copies: images that are flipped, rotated, cropped or shifted versions of another.

Matrix products find the most similar candidates of each image after a few transforms; each candidate is then aligned
exactly (`alignment.align`). Every image is compared with every other: `bench.duplicates` measures the time for
a million.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.alignment import (
    IDENTITY,
    Transforms,
    align,
    flip_horizontally,
    normalized,
    sampling_matrix,
)
from fer_core.data.duplicates.dct_descriptor import DESCRIPTOR, DctDescriptors, decode_coefficients
from fer_core.data.record import Split

SIMILARITY_MIN, SHARP_SIMILARITY_MIN = 0.93, 0.88
"""Images whose aligned centers correlate less are no copies (see `alignment.Alignment`). Of 250 validation images of
FER+ against all others, each pair above the second was the same photograph and none from 0.75 to 0.86."""

ROTATION_MAX_DEG, ZOOM_MAX, SHIFT_MAX = 20.0, 1.3, 0.12
"""The largest plausible rotation, zoom, and shift in sides."""

EVALUATION_SPLITS = (str(Split.VALID), str(Split.TEST))
"""The splits that a model is selected or evaluated on."""

EXHAUSTIVE_MAX = 10_000
"""Largest dataset without a published split in which copies are searched; the time grows with its square."""

ROTATION_RELIABLE_DEG, SHIFT_RELIABLE_01, CROP_RELIABLE_01 = 15.0, 0.06, 0.05
"""Of copies of photographs within these limits, 98 % are found; of those cropped by a tenth at each edge or shifted by
a tenth of a side, about 80 %."""

COPY_RULE = f"copies {SIMILARITY_MIN}, {SHARP_SIMILARITY_MIN}, all up to {EXHAUSTIVE_MAX}"

_SAMPLE_MIN, _RANDOM_PAIRS, _RANDOM_QUANTILE, _RANDOM_SIMILARITY_MAX = 20, 4000, 0.9, 0.4
"""Of random pairs of photographs of faces, nine in ten correlate by less than 0.18 (FER+) or 0.27 (news photographs);
of synthetic faces by 0.56."""

_ITERATIONS_FIRST, _ROUGH_SIMILARITY_MIN, _ITERATIONS_MORE = 2, 0.9, 6
_CANDIDATE_SIMILARITY_MIN = 0.85
"""Images that are less similar after each of the initial transforms are not aligned."""

_SIDE, _DIMENSIONS, _PCA_ROWS = 8, 32, 20_000
_CANDIDATES_MAX = 24
_CHUNK, _BLOCK, _ALIGN_BATCH = 16, 8192, 512

_ROTATION_ZOOM_SHIFT = (
    *product((-12.0, -4.0, 4.0, 12.0), (1.0, 1.12), (0.0,), (0.0,)),
    (0.0, 1.25, 0.0, 0.0),
    *product((0.0,), (1.12,), (-0.05, 0.05), (-0.05, 0.05)),
    *((0.0, 1.0, *shift) for shift in ((-0.06, 0.0), (0.06, 0.0), (0.0, -0.06), (0.0, 0.06))),
)
"""Initial transforms: degrees, zoom, and shifts in sides. Each is tried with and without a flip."""


def _initial_transforms() -> Transforms:
    degrees, zoom, shift_x, shift_y = np.array(_ROTATION_ZOOM_SHIFT).T
    angle = np.deg2rad(degrees)
    return np.stack([np.cos(angle) / zoom, np.sin(angle) / zoom, shift_x, shift_y], axis=1)


_TRANSFORMS = np.repeat(_initial_transforms(), 2, axis=0)
_FLIPS = np.tile([False, True], len(_ROTATION_ZOOM_SHIFT))


class AugmentedCopies(NamedTuple):
    """Pairs of rows that are copies of each other, and their similarity when aligned."""

    pairs: NDArray[np.int64]
    similarity: NDArray[np.float32]


NO_COPIES = AugmentedCopies(np.zeros((0, 2), np.int64), np.zeros(0, np.float32))


def evaluation_rows(split: pd.Series) -> NDArray[np.int64] | None:
    """Find the published validation and test images among some rows; None if no such split is published."""
    evaluated = split.isin(EVALUATION_SPLITS).to_numpy(bool)
    trains = bool((split == str(Split.TRAIN)).fillna(False).any())
    return np.flatnonzero(evaluated) if trains and evaluated.any() else None


def find_augmented_copies(descriptors: DctDescriptors, evaluated: NDArray[np.int64] | None) -> AugmentedCopies:
    """Find augmented copies of validation and test images among all images.

    Without a published split, copies of all images are searched, if there are at most `EXHAUSTIVE_MAX`.

    Args:
        evaluated: from `evaluation_rows`.
    """
    if _are_too_similar(descriptors):
        return NO_COPIES
    if evaluated is not None:
        return search_copies(descriptors, evaluated)
    return search_copies(descriptors, np.arange(len(descriptors))) if len(descriptors) <= EXHAUSTIVE_MAX else NO_COPIES


def _are_too_similar(descriptors: DctDescriptors) -> bool:
    """Whether random pairs are too similar to recognize copies, as in drawings."""
    if len(descriptors) < _SAMPLE_MIN:
        return False
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, len(descriptors), (2, _RANDOM_PAIRS))
    first, second = (normalized(descriptors[rows[a != b]].astype(np.float32)) for rows in (a, b))
    return bool(np.quantile(np.vecdot(first, second), _RANDOM_QUANTILE) > _RANDOM_SIMILARITY_MAX)


def copy_search_limits(columns: Collection[str], split: pd.Series) -> str:
    """Describe which augmented copies the search misses in a dataset.

    Args:
        columns: of its index.
        split: the published split of each image.
    """
    if DESCRIPTOR not in columns:
        return (
            "Flipped, rotated and cropped copies were not searched, because an older version indexed these images. "
            "Index them again: datasets index ID."
        )
    if evaluation_rows(split) is not None:
        searched = "Flipped, rotated and cropped copies of validation and test images are searched."
    elif len(split) <= EXHAUSTIVE_MAX:
        searched = "Flipped, rotated and cropped copies are searched among all images."
    else:
        return (
            "Flipped, rotated and cropped copies are not searched: no split is published, and there are more than "
            f"{EXHAUSTIVE_MAX:,} images. Exact and near-duplicates are."
        )
    return (
        f"{searched} Copies can be missed if they are rotated by more than {ROTATION_RELIABLE_DEG:g} degrees, shifted "
        f"by more than {100 * SHIFT_RELIABLE_01:g} % of a side, cropped by more than {100 * CROP_RELIABLE_01:g} % at "
        "each edge, distorted or largely covered, and so can other photos of the same moment. Very similar images, "
        "such as drawings, are not searched."
    )


def search_copies(descriptors: DctDescriptors, searched: NDArray[np.int64]) -> AugmentedCopies:
    """Search all images for copies of some of them.

    Args:
        descriptors: of N images.
        searched: the rows to find copies of.
    Returns:
        pairs of rows, shape (P, 2), first below second, in rising order, without repetition.
    """
    rows, others, transforms = _find_candidates(descriptors, searched)
    similarity = np.zeros(len(rows), np.float32)
    for start in range(0, len(rows), _ALIGN_BATCH):
        batch = slice(start, start + _ALIGN_BATCH)
        similarity[batch] = _aligned_similarity(descriptors, rows[batch], others[batch], transforms[batch])
    is_copy = similarity >= SHARP_SIMILARITY_MIN
    pairs, similarity = np.sort(np.stack([rows, others], axis=1)[is_copy], axis=1), similarity[is_copy]
    order = np.lexsort((-similarity, pairs[:, 1], pairs[:, 0]))
    pairs, similarity = pairs[order], similarity[order]
    first = np.append(True, (pairs[1:] != pairs[:-1]).any(axis=1))[: len(pairs)]
    return AugmentedCopies(pairs[first], similarity[first])


def _aligned_similarity(
    descriptors: DctDescriptors, rows: NDArray[np.int64], others: NDArray[np.int64], transforms: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Align images with their candidates; 0 for those that are no copies, of which most are dropped early."""
    images, references = decode_coefficients(descriptors[rows]), decode_coefficients(descriptors[others])
    flipped = _FLIPS[transforms]
    images[flipped] = flip_horizontally(images[flipped])
    similarity = np.zeros(len(rows), np.float32)
    rough = align(images, references, _TRANSFORMS[transforms], _ITERATIONS_FIRST)
    left = np.flatnonzero(rough.similarity >= _ROUGH_SIMILARITY_MIN)
    exact = align(images[left], references[left], rough.transforms[left], _ITERATIONS_MORE)
    is_similar = _is_plausible(exact.transforms) & (exact.similarity >= SIMILARITY_MIN)
    similarity[left[is_similar]] = exact.sharp_similarity[is_similar]
    return similarity


def _is_plausible(transforms: Transforms) -> NDArray[np.bool_]:
    a, b, shift_x, shift_y = transforms.T
    zoom = 1 / np.maximum(np.hypot(a, b), 1e-3)
    rotation_ok = np.abs(np.rad2deg(np.arctan2(b, a))) <= ROTATION_MAX_DEG
    zoom_ok = np.abs(np.log(zoom)) <= np.log(ZOOM_MAX)
    return np.asarray(rotation_ok & zoom_ok & (np.hypot(shift_x, shift_y) <= SHIFT_MAX))


def _find_candidates(
    descriptors: DctDescriptors, searched: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find the most similar other images of each image: its row, theirs, and after which transform."""
    if not len(searched):
        return (np.zeros(0, np.int64),) * 3
    directions = _principal_directions(descriptors)
    references = _project(descriptors, IDENTITY, directions, flip=False)
    candidates: list[tuple[NDArray[np.int64], ...]] = []
    for start in range(0, len(searched), _CHUNK):
        rows = searched[start : start + _CHUNK]
        projections = [
            _project(descriptors[rows], transform, directions, flip=flip)
            for transform, flip in zip(_TRANSFORMS, _FLIPS, strict=True)
        ]
        queries = np.stack(projections, axis=1)
        query, other = _nearest(queries, references, rows)
        transform = np.einsum("nkd,nd->nk", queries[query], references[other]).argmax(axis=1)
        candidates.append((rows[query], other, transform))
    rows, others, transforms = (np.concatenate(column) for column in zip(*candidates, strict=True))
    return rows, others, transforms


def _nearest(
    queries: NDArray[np.float32], references: NDArray[np.float32], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the `_CANDIDATES_MAX` most similar others of a few images.

    Args:
        queries: shape (n, transforms, dimensions), of the images in `rows`.
        references: shape (N, dimensions), of all images.
    """
    n, transforms, dimensions = queries.shape
    flat = queries.reshape(-1, dimensions)
    threshold = np.full(n, _CANDIDATE_SIMILARITY_MIN, np.float32)
    query, other, score = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    for start in range(0, len(references), _BLOCK):
        scores = (flat @ references[start : start + _BLOCK].T).reshape(n, transforms, -1).max(axis=1)
        hits, near = np.nonzero(scores > threshold[:, None])
        is_self = rows[hits] == near + start
        hits, near = hits[~is_self], near[~is_self]
        if not len(hits):
            continue
        query, other = np.append(query, hits), np.append(other, near + start)
        score = np.append(score, scores[hits, near])
        order = np.lexsort((-score, query))
        rank = np.arange(len(order)) - np.searchsorted(query[order], query[order])
        last = order[rank == _CANDIDATES_MAX - 1]
        threshold[query[last]] = score[last]
        kept = order[rank < _CANDIDATES_MAX]
        query, other, score = query[kept], other[kept], score[kept]
    return query, other


def _principal_directions(descriptors: DctDescriptors) -> NDArray[np.float32]:
    """Compute the principal directions of the images' centers; shape (dimensions, points)."""
    some = descriptors[:: max(1, len(descriptors) // _PCA_ROWS)]
    centers = normalized(_low_frequencies(some) @ sampling_matrix(IDENTITY, _SIDE, flip=False).T)
    _, directions = np.linalg.eigh(centers.T @ centers)
    return np.ascontiguousarray(directions[:, ::-1][:, :_DIMENSIONS].T)


def _project(
    descriptors: DctDescriptors, transform: NDArray[np.float64], directions: NDArray[np.float32], *, flip: bool
) -> NDArray[np.float32]:
    """Project the images' centers after a transform, so that products are correlations; shape (N, dimensions)."""
    matrix = sampling_matrix(transform, _SIDE, flip=flip).T
    projected = np.zeros((len(descriptors), len(directions)), np.float32)
    for start in range(0, len(descriptors), _BLOCK):
        block = slice(start, start + _BLOCK)
        projected[block] = normalized(_low_frequencies(descriptors[block]) @ matrix) @ directions.T
    return projected / np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-6)


def _low_frequencies(descriptors: DctDescriptors) -> NDArray[np.float32]:
    """Decode the 8x8 lowest frequencies; shape (N, 64)."""
    return np.ascontiguousarray(decode_coefficients(descriptors)[:, :_SIDE, :_SIDE]).reshape(-1, _SIDE * _SIDE)
