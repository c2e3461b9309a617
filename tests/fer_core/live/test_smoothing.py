from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from fer_core.faces import FaceBox
from fer_core.inference.abstention import AbstainReason
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


def move_box(box: FaceBox, x: int) -> FaceBox:
    return FaceBox(box.x + x, box.y, box.width, box.height)


@pytest.mark.parametrize("step_s", [0.02, 0.1, 0.4])
def test_smoothing_reaches_63_percent_after_one_time_constant(step_s: float) -> None:
    tracker = FaceTracker(time_constant_s=0.4)
    tracker.update([prediction(LEFT, 1.0)], 0.0)
    for step in range(1, round(0.4 / step_s) + 1):
        (face,) = tracker.update([prediction(LEFT, 0.0)], step * step_s)
    assert face.probabilities[HAPPINESS] == pytest.approx(math.exp(-1), abs=1e-6)


def test_smoothing_converges_and_probabilities_sum_to_one() -> None:
    tracker = FaceTracker(time_constant_s=0.4)
    tracker.update([prediction(LEFT, 1.0)], 0.0)
    for step in range(1, 60):
        (face,) = tracker.update([prediction(LEFT, 0.2)], step / 20)
        assert sum(face.probabilities.values()) == pytest.approx(1)
    assert face.probabilities[HAPPINESS] == pytest.approx(0.2, abs=1e-3)
    assert face.label is SADNESS


def test_a_single_different_frame_does_not_change_the_label() -> None:
    tracker = FaceTracker()
    labels = set()
    for step in range(40):
        (face,) = tracker.update([prediction(LEFT, 0.05 if step == 20 else 0.95)], step / 20)
        labels.add(face.label)
    assert labels == {HAPPINESS}


def test_without_a_time_constant_nothing_is_smoothed() -> None:
    tracker = FaceTracker(time_constant_s=0)
    tracker.update([prediction(LEFT, 1.0)], 0.0)
    (face,) = tracker.update([prediction(LEFT, 0.0)], 0.01)
    assert face.probabilities[HAPPINESS] == 0


def test_faces_keep_their_identity_when_their_order_changes() -> None:
    tracker = FaceTracker()
    first = tracker.update([prediction(LEFT, 0.9), prediction(RIGHT, 0.1)], 0.0)
    second = tracker.update([prediction(move_box(RIGHT, 5), 0.1), prediction(move_box(LEFT, -5), 0.9)], 0.05)
    assert [face.track_id for face in first] == [face.track_id for face in second]
    assert [face.label for face in second] == [HAPPINESS, SADNESS]
    for face, box in zip(second, [move_box(LEFT, -5), move_box(RIGHT, 5)], strict=True):
        assert face.box.center == pytest.approx(box.center, abs=2)


def test_tracks_follow_the_largest_overlap() -> None:
    tracker = FaceTracker()
    (first_face,) = tracker.update([prediction(LEFT)], 0.0)
    later_faces = tracker.update([prediction(move_box(LEFT, 30), 0.1), prediction(move_box(LEFT, 4), 0.9)], 0.05)
    (tracked,) = (face for face in later_faces if face.track_id == first_face.track_id)
    assert tracked.box.center == pytest.approx(move_box(LEFT, 4).center, abs=2)
    assert len({face.track_id for face in later_faces}) == 2


def test_the_largest_face_comes_first() -> None:
    faces = FaceTracker().update([prediction(RIGHT), prediction(LEFT)], 0.0)
    assert [face.box for face in faces] == [LEFT, RIGHT]


def test_a_missed_face_is_kept_for_a_while_and_then_dropped() -> None:
    tracker = FaceTracker(lost_after_s=0.5)
    (face,) = tracker.update([prediction(LEFT)], 0.0)
    assert [missed.track_id for missed in tracker.update([], 0.4)] == [face.track_id]
    assert tracker.update([], 0.6) == ()
    (new_face,) = tracker.update([prediction(LEFT)], 0.7)
    assert new_face.track_id != face.track_id


def test_a_face_keeps_its_number_while_it_is_out_of_sight_for_a_second() -> None:
    tracker = FaceTracker()
    for step in range(10):
        (face,) = tracker.update([prediction(move_box(LEFT, 6 * step))], step / 15)
    assert tracker.update([], 1.2) == (), "a face that is out of sight is not shown"
    (again,) = tracker.update([prediction(move_box(LEFT, 110))], 1.5)
    assert again.track_id == face.track_id
    ids = sorted(each.track_id for each in tracker.update([prediction(move_box(LEFT, 400))], 1.6))
    assert ids == [face.track_id, face.track_id + 1], "a face far away is another one"


def test_the_number_shown_is_that_of_the_label() -> None:
    tracker = FaceTracker()
    tracker.update([prediction(LEFT, 0.9)], 0.0)
    for step in range(1, 40):
        (face,) = tracker.update([prediction(LEFT, 0.1)], step / 15)
        assert face.confidence == face.probabilities[face.label]
    assert face.label is SADNESS


def test_abstention_follows_the_smoothed_probabilities() -> None:
    tracker = FaceTracker()
    (certain,) = tracker.update([prediction(LEFT, 0.9)], 0.0, confidence_threshold=0.8)
    assert not certain.uncertain
    (below_threshold,) = FaceTracker().update([prediction(LEFT, 0.7)], 0.0, confidence_threshold=0.8)
    assert below_threshold.uncertain and below_threshold.reason == "below the 80.0 % needed"
    (ambiguous,) = FaceTracker().update([prediction(LEFT, 0.52)], 0.0)
    assert ambiguous.reason == "too close to sadness"
    (small_face,) = FaceTracker().update([prediction(FaceBox(0, 0, 12, 12))], 0.0)
    assert small_face.reason == "the face is too small"


def test_a_truncated_face_is_uncertain() -> None:
    tracker = FaceTracker()
    truncated = replace(prediction(LEFT), quality=FaceQuality(50, truncation_01=0.4))
    (face,) = tracker.update([truncated], 0.0)
    assert face.reason == "the face is cut off by the picture's edge"
    assert face.main_reason is AbstainReason.TRUNCATED
    for at_s in (0.1, 0.2, 0.3, 0.4):
        (face,) = tracker.update([replace(prediction(LEFT), quality=FaceQuality(50))], at_s)
    assert not face.uncertain


def test_alternating_predictions_are_uncertain() -> None:
    tracker = FaceTracker()
    for step in range(60):
        (face,) = tracker.update([prediction(LEFT, 0.95 if step % 2 else 0.05)], step / 20)
    assert face.uncertain


def test_another_label_set_restarts_the_tracks() -> None:
    tracker = FaceTracker()
    tracker.update([prediction(LEFT, 1.0)], 0.0)
    (face,) = tracker.update([prediction(LEFT, 0.3, size=3)], 0.01)
    assert face.probabilities == {HAPPINESS: 0.3, SADNESS: 0.7, FEAR: 0.0}
