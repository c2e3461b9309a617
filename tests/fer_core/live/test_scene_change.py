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
def test_noise_and_gradual_light_changes_are_no_scene_change(height: int, width: int) -> None:
    still_frame = frame(height, width)
    noise = np.random.default_rng(1).normal(4, 4, still_frame.shape)
    assert not SceneChangeDetector(still_frame).has_changed(np.clip(still_frame + noise, 0, 255).astype(np.uint8), [])


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(("across_01", "down_01"), [(0.0, 0.0), (0.5, 0.5), (0.9, 0.9), (0.3, 0.7)])
def test_a_change_as_large_as_a_face_is_a_scene_change(
    height: int, width: int, across_01: float, down_01: float
) -> None:
    changed_frame = frame(height, width)
    x, y, side = round(across_01 * width), round(down_01 * height), round(0.08 * max(height, width))
    patch = changed_frame[y : y + side, x : x + side]
    patch[:] = np.where(patch > 128, patch - 60, patch + 60)
    assert SceneChangeDetector(frame(height, width)).has_changed(changed_frame, [])


def test_changes_around_a_known_face_are_ignored() -> None:
    changed_frame = frame(720, 1280)
    changed_frame[FACE.y - 40 : FACE.y + FACE.height + 40, FACE.x - 40 : FACE.x + FACE.width + 40] = 255
    assert SceneChangeDetector(frame(720, 1280)).has_changed(changed_frame, [])
    assert not SceneChangeDetector(frame(720, 1280)).has_changed(changed_frame, [FACE])
    changed_frame[600:680, 900:980] = 0
    assert SceneChangeDetector(frame(720, 1280)).has_changed(changed_frame, [FACE])
