"""Occlusion by glasses and hands."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.corruptions.corruption import rng_for
from fer_core.corruptions.occlusions import EYE_LINE_01, occlude_with_glasses, occlude_with_hand
from fer_core.faces import RgbImage

IMAGES = range(24)


def _flat(height: int = 96, width: int = 96) -> RgbImage:
    return np.full((height, width, 3), 200, np.uint8)


def _rng(image: int) -> np.random.Generator:
    return rng_for("test", str(image), 0)


@pytest.mark.parametrize(("height", "width"), [(48, 48), (96, 96), (20, 20), (120, 80)])
def test_glasses_cover_only_the_eye_line(height: int, width: int) -> None:
    for image in IMAGES:
        changed = occlude_with_glasses(_flat(height, width), 94, _rng(image))[:, :, 0] < 190
        rows = np.flatnonzero(changed.any(1)) / height
        assert rows.min() > EYE_LINE_01 - 0.2
        assert rows.max() < EYE_LINE_01 + 0.2
        assert 0.08 < changed.mean() < 0.3
        left, right = changed[:, : width // 2].mean(), changed[:, -(width // 2) :].mean()
        assert left == pytest.approx(right, rel=0.25)


def test_lenses_absorb_the_given_share_of_light() -> None:
    row = round(EYE_LINE_01 * 96)
    for percent in (5, 45, 94):
        brightness = occlude_with_glasses(_flat(), percent, _rng(0))[row, [28, 68], 0]
        np.testing.assert_allclose(brightness, 200 * (1 - percent / 100), atol=1.5)


def test_glasses_have_several_shapes() -> None:
    assert len({(occlude_with_glasses(_flat(), 45, _rng(image)) < 190).tobytes() for image in IMAGES}) >= 3


@pytest.mark.parametrize("percent", [6, 18, 33])
@pytest.mark.parametrize(("height", "width"), [(48, 48), (20, 20), (120, 80)])
def test_a_hand_covers_the_given_share_from_below_or_the_side(percent: float, height: int, width: int) -> None:
    # A black and white checkerboard, on which only the hand is gray.
    face = np.repeat((np.indices((height, width)).sum(0) % 2 * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    for image in IMAGES:
        occluded = occlude_with_hand(face, percent, _rng(image))[:, :, 0]
        covered = (occluded > 40) & (occluded < 215)
        assert covered.mean() == pytest.approx(percent / 100, abs=0.045)
        assert covered[height // 2 :].mean() > 2 * covered[: height // 2].mean()
        assert not covered[: height // 6].any()


def test_a_hand_has_the_color_of_the_face() -> None:
    face = np.zeros((96, 96, 3), np.uint8)
    face[:] = (210, 150, 120)
    for image in IMAGES:
        changed = occlude_with_hand(face, 33, _rng(image)).astype(float)
        hand = changed[np.abs(changed - face).max(2) > 6]
        if len(hand):
            np.testing.assert_allclose(
                hand / hand[:, :1], np.ones((len(hand), 1)) * [1, 150 / 210, 120 / 210], atol=0.05
            )


def test_hands_have_several_positions() -> None:
    assert len({(occlude_with_hand(_flat(), 18, _rng(image)) != 200).tobytes() for image in IMAGES}) >= 4
