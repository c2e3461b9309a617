"""Geometric corruptions: shift, crop and rotation."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.corruptions.corruption import rng_for
from fer_core.corruptions.geometric import crop_tighter, crop_wider, rotate, shift
from fer_core.faces import RgbImage

SIDE_PX = 96


def _dots(*positions: tuple[int, int]) -> RgbImage:
    """White dots of 5 px on black at (x, y)."""
    face = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    for right, down in positions:
        face[down - 2 : down + 3, right - 2 : right + 3] = 255
    return face


def _center_of_light(face: RgbImage) -> np.ndarray:
    """Center of brightness (x, y)."""
    down, right = np.indices(face.shape[:2])
    light = face[:, :, 0].astype(float)
    return np.array([(light * right).sum(), (light * down).sum()]) / light.sum()


def _rng(image: int = 0) -> np.random.Generator:
    return rng_for("test", str(image), 0)


def test_a_shift_has_the_given_distance_in_every_direction() -> None:
    face = _dots((48, 48))
    moves = np.array([_center_of_light(shift(face, 20, _rng(image))) - 48 for image in range(40)])
    np.testing.assert_allclose(np.hypot(*moves.T), 0.2 * SIDE_PX, atol=1)
    assert {(x > 0, y > 0) for x, y in moves} == {(a, b) for a in (True, False) for b in (True, False)}


def test_a_shift_repeats_the_border() -> None:
    face = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    face[:] = np.linspace(0, 250, SIDE_PX).astype(np.uint8)[None, :, None]
    assert set(np.unique(shift(face, 20, _rng()))) <= set(np.unique(face))


@pytest.mark.parametrize(("crop_function", "sign"), [(crop_tighter, -1), (crop_wider, 1)])
@pytest.mark.parametrize("percent", [5, 10, 15])
def test_a_tighter_crop_enlarges_and_a_wider_one_shrinks_about_the_center(
    crop_function, sign: int, percent: float
) -> None:
    left, right = (_center_of_light(crop_function(_dots((x_px, 48)), percent, _rng())) for x_px in (34, 62))
    assert right[0] - left[0] == pytest.approx(28 / (1 + sign * 2 * percent / 100), abs=1)
    assert (right[0] + left[0]) / 2 == pytest.approx(48, abs=1)
    assert right[1] == pytest.approx(48, abs=1)


def test_a_wider_crop_repeats_the_border() -> None:
    face = np.full((SIDE_PX, SIDE_PX, 3), 40, np.uint8)
    face[:, -1] = 220
    cropped = crop_wider(face, 20, _rng())
    assert (cropped[:, :60] == 40).all()
    assert (cropped[:, -10:] == cropped[:, -1:]).all()
    assert cropped[0, -1, 0] > 100


def test_a_face_is_rotated_by_the_given_angle_to_either_side() -> None:
    face = _dots((78, 48))
    angles = []
    for image in range(16):
        right, down = _center_of_light(rotate(face, 25, _rng(image))) - (SIDE_PX - 1) / 2
        angles.append(np.degrees(np.arctan2(down, right)))
    assert sorted({round(angle / 25) for angle in angles}) == [-1, 1]
    np.testing.assert_allclose(np.abs(angles), 25, atol=2)
