"""The search for augmented copies: pictures that are another one mirrored, turned, cropped or shifted a little.

First the few nearest candidates of each picture under some moves, by products of matrices; then each of those is laid
on it exactly (`moved.laid_on`). Every picture is compared with every other: what it costs for a million is measured in
`bench.duplicates`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.duplicates.detail import DETAIL, Details, waves
from fer_core.data.duplicates.geometric import UNMOVED, Moves, laid_on, mirrored, normalized, view
from fer_core.data.record import Split

SIMILARITY_MIN, SHARP_LIKENESS_MIN = 0.93, 0.88
"""Pictures that correlate less at their middle, one laid on the other, are no copies (`moved.Fit`). Of 250 validation
images of FER+ against all others, every pair above the second was the same photograph and none from 0.75 to 0.86."""

TURNED_MAX_DEG, ZOOM_MAX, SHIFT_MAX = 20.0, 1.3, 0.12
"""Moves beyond that are not believed: a turn in degrees, a zoom, a shift in sides."""

JUDGING = (str(Split.VALID), str(Split.TEST))
"""The parts that a model is selected or judged by."""

SMALL_MAX = 10_000
"""With so many images at most all are searched for copies of each; the time grows with the square."""

TURNED_SURE_DEG, SHIFT_SURE_01, CROP_SURE_01 = 15.0, 0.06, 0.05
"""What is moved by no more is found, of photographs at least 98 in 100 copies; of those cropped by a tenth at each edge
or shifted by a tenth of a side, about 80 in 100."""

COPY_RULE = f"copies {SIMILARITY_MIN}, {SHARP_LIKENESS_MIN}, all up to {SMALL_MAX}"

_PAIRS_FROM, _CHANCE_PAIRS, _CHANCE_QUANTILE, _ALIKE_MAX = 20, 4000, 0.9, 0.4
"""Of pairs of photographs of faces, drawn by chance, nine in ten correlate by less than 0.18 (FER+) or 0.27 (news
photographs); of drawn faces by 0.56."""

_ROUNDS_FIRST, _ROUGHLY_MIN, _ROUNDS_MORE = 2, 0.9, 6
_SIDE = 8
_DIMENSIONS = 32
_FIT_ROWS = 20_000
_KEPT = 24
_CHUNK, _BLOCK, _LAID = 16, 8192, 512


class Move(NamedTuple):
    """A move to look for copies with, roughly: `laid_on` finds the exact one."""

    degrees: float
    zoom: float
    across: float
    down: float
    mirrored: bool

    @property
    def numbers(self) -> tuple[float, float, float, float]:
        """As `moved.Moves` have them."""
        angle = np.deg2rad(self.degrees)
        return (
            float(np.cos(angle)) / self.zoom,
            float(np.sin(angle)) / self.zoom,
            self.across,
            self.down,
        )


MOVES: tuple[Move, ...] = tuple(
    Move(*where, flip)
    for where in (
        *product((-12.0, -4.0, 4.0, 12.0), (1.0, 1.12), (0.0,), (0.0,)),
        (0.0, 1.25, 0.0, 0.0),
        *product((0.0,), (1.12,), (-0.05, 0.05), (-0.05, 0.05)),
        *((0.0, 1.0, *shift) for shift in ((-0.06, 0.0), (0.06, 0.0), (0.0, -0.06), (0.0, 0.06))),
    )
    for flip in (False, True)
)


class Copies(NamedTuple):
    """Pairs of rows that are copies of each other, and how alike they are, one laid on the other."""

    pairs: NDArray[np.int64]
    similarity: NDArray[np.float32]


NO_COPIES = Copies(np.zeros((0, 2), np.int64), np.zeros(0, np.float32))


def published_places(split: pd.Series) -> NDArray[np.int64] | None:
    """The places among some rows of the images that a published split judges by; None where there is no such split."""
    judged = split.isin(JUDGING).to_numpy(bool)
    trains = bool((split == str(Split.TRAIN)).fillna(False).any())
    return np.flatnonzero(judged) if trains and judged.any() else None


def copies_between(details: Details, judged: NDArray[np.int64] | None) -> Copies:
    """The augmented copies that are worth their search: of judged images, among all; or, where no split is published,
    of each in a small dataset, and none in a larger one.

    Args:
        judged: as `published_places` gives them.
    """
    if _all_alike(details):
        return NO_COPIES
    if judged is not None:
        return search_copies(details, judged)
    return search_copies(details, np.arange(len(details))) if len(details) <= SMALL_MAX else NO_COPIES


def _all_alike(details: Details) -> bool:
    """Whether pictures that have nothing to do with each other are so alike that copies can't be told by their shapes:
    drawings made by one program. Said of pairs drawn by chance, of which hardly any are copies."""
    if len(details) < _PAIRS_FROM:
        return False
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, len(details), (2, _CHANCE_PAIRS))
    first, second = (normalized(details[rows[a != b]].astype(np.float32)) for rows in (a, b))
    return bool(np.quantile(np.vecdot(first, second), _CHANCE_QUANTILE) > _ALIKE_MAX)


def copy_search_limits(columns: Collection[str], split: pd.Series) -> str:
    """What the search for copies can't see in a dataset, in a sentence or two, to be said beside its result.

    Args:
        columns: of its index.
        split: the published part of each image.
    """
    if DETAIL not in columns:
        return (
            "Mirrored, turned and cropped copies were not looked for: an older version indexed these images. "
            "Measure them again: datasets index ID."
        )
    missed = (
        f"turned by more than {TURNED_SURE_DEG:g} degrees, shifted by more than {100 * SHIFT_SURE_01:g} % of a side or "
        f"cropped by more than {100 * CROP_SURE_01:g} % at each edge, distorted or largely covered, and other pictures "
        "of the same moment"
    )
    if published_places(split) is not None:
        where = "Mirrored, turned and cropped copies are looked for where one of the two is a validation or test image."
    elif len(split) <= SMALL_MAX:
        where = "Mirrored, turned and cropped copies are looked for among all images."
    else:
        return (
            "Mirrored, turned and cropped copies are not looked for: no parts are published, and there are more than "
            f"{SMALL_MAX:,} images. Identical and nearly identical ones are."
        )
    return (
        f"{where} Not seen, or not always, are copies {missed}. Among pictures that are all alike, such as drawings, "
        "none are sought."
    )


def search_copies(
    details: Details, searched: NDArray[np.int64], moves: Sequence[Move] = MOVES, *, floor: float = 0.85
) -> Copies:
    """Copies of some pictures among all.

    Args:
        details: of N pictures.
        searched: the rows to look for copies of.
        moves: what a copy may be, roughly.
        floor: candidates that are less alike by a move of the list, coarsely, are not laid on each other.
    Returns:
        pairs of rows, shape (P, 2), first below second, in rising order, without repetition.
    """
    ours, theirs, places = _candidates(details, searched, moves, floor)
    starts, flips = np.array([move.numbers for move in moves]), np.array([move.mirrored for move in moves])
    similarity = np.zeros(len(ours), np.float32)
    for first in range(0, len(ours), _LAID):
        some = slice(first, first + _LAID)
        similarity[some] = _laid(details, ours[some], theirs[some], starts[places[some]], flips[places[some]])
    found = similarity >= SHARP_LIKENESS_MIN
    pairs = np.sort(np.stack([ours, theirs], axis=1)[found], axis=1)
    order = np.lexsort((-similarity[found], pairs[:, 1], pairs[:, 0]))
    pairs, similarity = pairs[order], similarity[found][order]
    once = np.ones(len(pairs), bool)
    once[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    return Copies(pairs[once], similarity[once])


def _laid(
    details: Details,
    ours: NDArray[np.int64],
    theirs: NDArray[np.int64],
    starts: Moves,
    flipped: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """How alike pictures are, each laid on its candidate; 0 where they are no copies. Most are dropped early."""
    pictures, others = waves(details[ours]), waves(details[theirs])
    pictures[flipped] = mirrored(pictures[flipped])
    similarity = np.zeros(len(ours), np.float32)
    roughly = laid_on(pictures, others, starts, _ROUNDS_FIRST)
    left = np.flatnonzero(roughly.similarity >= _ROUGHLY_MIN)
    fit = laid_on(pictures[left], others[left], roughly.moves[left], _ROUNDS_MORE)
    holds = _believed(fit.moves) & (fit.similarity >= SIMILARITY_MIN)
    similarity[left[holds]] = fit.sharp_similarity[holds]
    return similarity


def _believed(moves: Moves) -> NDArray[np.bool_]:
    a, b, across, down = moves.T
    zoom = 1 / np.maximum(np.hypot(a, b), 1e-3)
    turned = np.abs(np.rad2deg(np.arctan2(b, a))) <= TURNED_MAX_DEG
    return np.asarray(turned & (np.abs(np.log(zoom)) <= np.log(ZOOM_MAX)) & (np.hypot(across, down) <= SHIFT_MAX))


def _candidates(
    details: Details, searched: NDArray[np.int64], moves: Sequence[Move], floor: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """For each picture the nearest others: its row, theirs, and by which of the moves."""
    if not len(searched):
        return (np.zeros(0, np.int64),) * 3
    main = _main_directions(details)
    others = _described(details, UNMOVED, main, flip=False)
    found: list[tuple[NDArray[np.int64], ...]] = []
    for first in range(0, len(searched), _CHUNK):
        rows = searched[first : first + _CHUNK]
        ours = np.stack([_described(details[rows], move.numbers, main, flip=move.mirrored) for move in moves], axis=1)
        place, other = _nearest(ours, others, rows, floor)
        move = np.einsum("nkd,nd->nk", ours[place], others[other]).argmax(axis=1)
        found.append((rows[place], other, move))
    ours_rows, their_rows, by = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return ours_rows, their_rows, by


def _nearest(
    ours: NDArray[np.float32], others: NDArray[np.float32], rows: NDArray[np.int64], floor: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Up to `_KEPT` others of each of a few pictures that are at least `floor` alike by some move.

    Args:
        ours: shape (n, moves, dimensions); `rows` are their rows.
        others: shape (N, dimensions).
    """
    n, moves, dimensions = ours.shape
    flat = ours.reshape(-1, dimensions)
    least = np.full(n, floor, np.float32)
    place, other, how = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    for first in range(0, len(others), _BLOCK):
        alike = (flat @ others[first : first + _BLOCK].T).reshape(n, moves, -1).max(axis=1)
        at, near = np.nonzero(alike > least[:, None])
        own = rows[at] == near + first
        at, near = at[~own], near[~own]
        if not len(at):
            continue
        place, other = np.append(place, at), np.append(other, near + first)
        how = np.append(how, alike[at, near])
        order = np.lexsort((-how, place))
        rank = np.arange(len(order)) - np.searchsorted(place[order], place[order])
        last = order[rank == _KEPT - 1]
        least[place[last]] = how[last]
        kept = order[rank < _KEPT]
        place, other, how = place[kept], other[kept], how[kept]
    return place, other


def _main_directions(details: Details) -> NDArray[np.float32]:
    """The directions in which pictures' middles differ most; shape (dimensions, points)."""
    some = details[:: max(1, len(details) // _FIT_ROWS)]
    seen = normalized(_lowest(some) @ view(UNMOVED, _SIDE, mirrored=False).T)
    _, directions = np.linalg.eigh(seen.T @ seen)
    return np.ascontiguousarray(directions[:, ::-1][:, :_DIMENSIONS].T)


def _described(
    details: Details, move: tuple[float, float, float, float], main: NDArray[np.float32], *, flip: bool
) -> NDArray[np.float32]:
    """Pictures' middles after a move, in a few numbers whose products are correlations; shape (N, dimensions)."""
    shown = view(move, _SIDE, mirrored=flip).T
    found = np.zeros((len(details), len(main)), np.float32)
    for first in range(0, len(details), _BLOCK):
        found[first : first + _BLOCK] = normalized(_lowest(details[first : first + _BLOCK]) @ shown) @ main.T
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)


def _lowest(details: Details) -> NDArray[np.float32]:
    """The 8x8 lowest frequencies; shape (N, 64)."""
    return np.ascontiguousarray(waves(details)[:, :_SIDE, :_SIDE]).reshape(-1, _SIDE * _SIDE)
