from __future__ import annotations

import numpy as np
import pytest

from fer_core.faces import FaceBox, RgbImage
from fer_core.live.scene_change import SceneChangeDetector

FACE = FaceBox(400, 200, 120, 120)
SIZES = [(720, 1280), (480, 640), (640, 360), (96, 128)]


def frame(height: int, width: int) -> RgbImage:
    rng = np.random.default_rng(0)
    return np.repeat(np.repeat(rng.integers(60, 200, (8, 8, 3), np.uint8), height // 8, 0), width // 8, 1)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_noise_and_slow_light_are_no_change(height: int, width: int) -> None:
    still = frame(height, width)
    noise = np.random.default_rng(1).normal(4, 4, still.shape)
    assert not SceneChangeDetector(still).has_changed(np.clip(still + noise, 0, 255).astype(np.uint8), [])


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(("across_01", "down_01"), [(0.0, 0.0), (0.5, 0.5), (0.9, 0.9), (0.3, 0.7)])
def test_something_as_large_as_a_face_is_one(height: int, width: int, across_01: float, down_01: float) -> None:
    later = frame(height, width)
    x, y, side = round(across_01 * width), round(down_01 * height), round(0.08 * max(height, width))
    patch = later[y : y + side, x : x + side]
    patch[:] = np.where(patch > 128, patch - 60, patch + 60)
    assert SceneChangeDetector(frame(height, width)).has_changed(later, [])


def test_what_moves_about_a_known_face_belongs_to_it() -> None:
    later = frame(720, 1280)
    later[FACE.y - 40 : FACE.y + FACE.height + 40, FACE.x - 40 : FACE.x + FACE.width + 40] = 255
    assert SceneChangeDetector(frame(720, 1280)).has_changed(later, [])
    assert not SceneChangeDetector(frame(720, 1280)).has_changed(later, [FACE])
    later[600:680, 900:980] = 0
    assert SceneChangeDetector(frame(720, 1280)).has_changed(later, [FACE])
