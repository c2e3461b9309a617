"""Boxes that sit badly, and heads that lean."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.corruptions.corruption import rng_for
from fer_core.corruptions.geometric import crop_tighter, crop_wider, rotate, shift
from fer_core.faces import RgbImage

SIDE = 96


def _dots(*places: tuple[int, int]) -> RgbImage:
    """White dots of 5 pixels on black, at (right, down)."""
    face = np.zeros((SIDE, SIDE, 3), np.uint8)
    for right, down in places:
        face[down - 2 : down + 3, right - 2 : right + 3] = 255
    return face


def _middle(face: RgbImage) -> np.ndarray:
    """Where the light is: right, down."""
    down, right = np.indices(face.shape[:2])
    light = face[:, :, 0].astype(float)
    return np.array([(light * right).sum(), (light * down).sum()]) / light.sum()


def _rng(image: int = 0) -> np.random.Generator:
    return rng_for("test", str(image), 0)


def test_a_shift_is_as_far_as_asked_in_every_direction() -> None:
    face = _dots((48, 48))
    moves = np.array([_middle(shift(face, 20, _rng(image))) - 48 for image in range(40)])
    np.testing.assert_allclose(np.hypot(*moves.T), 0.2 * SIDE, atol=1)
    assert {(x > 0, y > 0) for x, y in moves} == {(a, b) for a in (True, False) for b in (True, False)}


def test_a_shift_repeats_the_edge() -> None:
    face = np.zeros((SIDE, SIDE, 3), np.uint8)
    face[:] = np.linspace(0, 250, SIDE).astype(np.uint8)[None, :, None]
    assert set(np.unique(shift(face, 20, _rng()))) <= set(np.unique(face))


@pytest.mark.parametrize(("cut", "sign"), [(crop_tighter, -1), (crop_wider, 1)])
@pytest.mark.parametrize("percent", [5, 10, 15])
def test_a_closer_crop_enlarges_about_the_middle_and_a_wider_one_shrinks(cut, sign: int, percent: float) -> None:
    left, right = (_middle(cut(_dots((place, 48)), percent, _rng())) for place in (34, 62))
    assert right[0] - left[0] == pytest.approx(28 / (1 + sign * 2 * percent / 100), abs=1)
    assert (right[0] + left[0]) / 2 == pytest.approx(48, abs=1)
    assert right[1] == pytest.approx(48, abs=1)


def test_a_wider_crop_repeats_what_was_at_the_edge() -> None:
    face = np.full((SIDE, SIDE, 3), 40, np.uint8)
    face[:, -1] = 220
    seen = crop_wider(face, 20, _rng())
    assert (seen[:, :60] == 40).all()
    assert (seen[:, -10:] == seen[:, -1:]).all()
    assert seen[0, -1, 0] > 100


def test_a_head_leans_to_either_side_by_as_much_as_asked() -> None:
    face = _dots((78, 48))
    angles = []
    for image in range(16):
        right, down = _middle(rotate(face, 25, _rng(image))) - (SIDE - 1) / 2
        angles.append(np.degrees(np.arctan2(down, right)))
    assert sorted({round(angle / 25) for angle in angles}) == [-1, 1]
    np.testing.assert_allclose(np.abs(angles), 25, atol=2)
