from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from fer_core.faces import FaceBox
from fer_core.inference.face_quality import FaceQuality
from fer_core.inference.predictor import FacePrediction
from fer_core.labels import Expression
from fer_core.live.smoothing import FaceTracker

LEFT, RIGHT = FaceBox(10, 10, 80, 80), FaceBox(200, 10, 60, 60)
HAPPINESS, SADNESS, FEAR = Expression.HAPPINESS, Expression.SADNESS, Expression.FEAR


def prediction(box: FaceBox, happiness: float = 0.9, *, size: int = 2) -> FacePrediction:
    values = {HAPPINESS: happiness, SADNESS: 1 - happiness}
    if size == 3:
        values = {HAPPINESS: happiness, SADNESS: 1 - happiness, FEAR: 0.0}
    label = max(values, key=lambda key: values[key])
    crop = np.zeros((8, 8, 3), np.uint8)
    return FacePrediction(box, "fake", 0.9, label, values[label], False, "", values, crop)


def moved(box: FaceBox, x: int) -> FaceBox:
    return FaceBox(box.x + x, box.y, box.width, box.height)


@pytest.mark.parametrize("step_s", [0.02, 0.1, 0.4])
def test_a_change_is_63_percent_there_after_one_time_constant_at_any_frame_rate(step_s: float) -> None:
    tracks = FaceTracker(time_constant_s=0.4)
    tracks.update([prediction(LEFT, 1.0)], 0.0)
    for step in range(1, round(0.4 / step_s) + 1):
        (face,) = tracks.update([prediction(LEFT, 0.0)], step * step_s)
    assert face.probabilities[HAPPINESS] == pytest.approx(math.exp(-1), abs=1e-6)


def test_smoothing_converges_and_probabilities_sum_to_one() -> None:
    tracks = FaceTracker(time_constant_s=0.4)
    tracks.update([prediction(LEFT, 1.0)], 0.0)
    for step in range(1, 60):
        (face,) = tracks.update([prediction(LEFT, 0.2)], step / 20)
        assert sum(face.probabilities.values()) == pytest.approx(1)
    assert face.probabilities[HAPPINESS] == pytest.approx(0.2, abs=1e-3)
    assert face.label is SADNESS


def test_a_flicker_of_one_frame_does_not_change_the_label() -> None:
    tracks = FaceTracker()
    labels = set()
    for step in range(40):
        (face,) = tracks.update([prediction(LEFT, 0.05 if step == 20 else 0.95)], step / 20)
        labels.add(face.label)
    assert labels == {HAPPINESS}


def test_without_a_time_constant_nothing_is_smoothed() -> None:
    tracks = FaceTracker(time_constant_s=0)
    tracks.update([prediction(LEFT, 1.0)], 0.0)
    (face,) = tracks.update([prediction(LEFT, 0.0)], 0.01)
    assert face.probabilities[HAPPINESS] == 0


def test_faces_keep_their_identity_when_their_order_changes() -> None:
    tracks = FaceTracker()
    first = tracks.update([prediction(LEFT, 0.9), prediction(RIGHT, 0.1)], 0.0)
    second = tracks.update([prediction(moved(RIGHT, 5), 0.1), prediction(moved(LEFT, -5), 0.9)], 0.05)
    assert [face.track_id for face in first] == [face.track_id for face in second]
    assert [face.label for face in second] == [HAPPINESS, SADNESS]
    assert [face.box for face in second] == [moved(LEFT, -5), moved(RIGHT, 5)]


def test_the_pair_that_overlaps_most_is_the_same_face() -> None:
    tracks = FaceTracker()
    (before,) = tracks.update([prediction(LEFT)], 0.0)
    after = tracks.update([prediction(moved(LEFT, 30), 0.1), prediction(moved(LEFT, 4), 0.9)], 0.05)
    (same,) = (face for face in after if face.track_id == before.track_id)
    assert same.box == moved(LEFT, 4)
    assert len({face.track_id for face in after}) == 2


def test_the_largest_face_comes_first() -> None:
    faces = FaceTracker().update([prediction(RIGHT), prediction(LEFT)], 0.0)
    assert [face.box for face in faces] == [LEFT, RIGHT]


def test_a_face_that_is_missed_for_a_moment_stays_and_a_lost_one_is_forgotten() -> None:
    tracks = FaceTracker(lost_after_s=0.5)
    (face,) = tracks.update([prediction(LEFT)], 0.0)
    assert [kept.track_id for kept in tracks.update([], 0.4)] == [face.track_id]
    assert tracks.update([], 0.6) == ()
    (new,) = tracks.update([prediction(LEFT)], 0.7)
    assert new.track_id != face.track_id


def test_doubt_follows_the_smoothed_probabilities() -> None:
    tracks = FaceTracker()
    (sure,) = tracks.update([prediction(LEFT, 0.9)], 0.0, confidence_threshold=0.8)
    assert not sure.uncertain
    (below,) = FaceTracker().update([prediction(LEFT, 0.7)], 0.0, confidence_threshold=0.8)
    assert below.uncertain and below.reason == "below the threshold of 80 %"
    (close,) = FaceTracker().update([prediction(LEFT, 0.52)], 0.0)
    assert close.reason == "too close to sadness"
    (small,) = FaceTracker().update([prediction(FaceBox(0, 0, 12, 12))], 0.0)
    assert small.reason == "the face is too small"


def test_a_face_that_is_seen_badly_is_in_doubt_until_it_is_seen_well() -> None:
    tracks = FaceTracker()
    cut_off = replace(prediction(LEFT), quality=FaceQuality(50, truncation_01=0.4))
    (face,) = tracks.update([cut_off], 0.0)
    assert face.reason == "the face is cut off by the picture's edge"
    (face,) = tracks.update([replace(prediction(LEFT), quality=FaceQuality(50))], 0.1)
    assert not face.uncertain


def test_a_face_read_one_way_and_the_other_in_turn_is_in_doubt() -> None:
    tracks = FaceTracker()
    for step in range(60):
        (face,) = tracks.update([prediction(LEFT, 0.95 if step % 2 else 0.05)], step / 20)
    assert face.uncertain


def test_another_model_with_other_expressions_starts_afresh() -> None:
    tracks = FaceTracker()
    tracks.update([prediction(LEFT, 1.0)], 0.0)
    (face,) = tracks.update([prediction(LEFT, 0.3, size=3)], 0.01)
    assert face.probabilities == {HAPPINESS: 0.3, SADNESS: 0.7, FEAR: 0.0}
