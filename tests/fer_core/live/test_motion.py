"""A face's box moves on with its speed while the face is out of sight."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.faces import FaceBox
from fer_core.live.motion import FaceMotion


def box_at(x: float, side: int = 100) -> FaceBox:
    return FaceBox(round(x) - side // 2, 100, side, side)


def follow(speed: float, seconds: float = 2.0, rate: float = 15, noise: float = 0.0) -> tuple[FaceMotion, float]:
    """Follow a face that moves to the right; returns the filter and its last time."""
    rng = np.random.default_rng(0)
    motion = FaceMotion.start(box_at(100), 0.0)
    for step in range(1, int(seconds * rate) + 1):
        at_s = step / rate
        motion.update(box_at(100 + speed * at_s + rng.normal(0, noise)), at_s)
    return motion, int(seconds * rate) / rate


def test_a_face_at_rest_stays_where_it_is() -> None:
    motion, at_s = follow(0)
    assert motion.predict(at_s + 1) == motion.box == box_at(100)


def test_a_moving_face_is_expected_ahead_but_not_for_ever() -> None:
    motion, at_s = follow(80)
    assert motion.box.center[0] == pytest.approx(100 + 80 * at_s, abs=3)
    soon, late = (motion.predict(at_s + seconds).center[0] - motion.box.center[0] for seconds in (0.1, 5))
    assert soon == pytest.approx(0.1 * 80, abs=3)
    assert soon < late < 0.4 * 80, "nobody moves on in one direction"


def test_noise_of_the_detector_is_filtered() -> None:
    moves = []
    motion = FaceMotion.start(box_at(100), 0.0)
    rng = np.random.default_rng(1)
    measured = 100 + rng.normal(0, 4, 200)
    for step, x in enumerate(measured, 1):
        motion.update(box_at(x), step / 15)
        moves.append(motion.box.center[0])
    assert np.abs(np.diff(moves)).mean() < 0.75 * np.abs(np.diff(measured)).mean()


def test_the_shape_of_the_box_is_kept() -> None:
    motion = FaceMotion.start(FaceBox(10, 20, 60, 90), 0.0)
    assert motion.box == FaceBox(10, 20, 60, 90)
    motion.update(FaceBox(10, 20, 60, 90), 0.1)
    assert (motion.box.width, motion.box.height) == (60, 90)
