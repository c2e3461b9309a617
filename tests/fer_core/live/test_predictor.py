from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from fer_core.detection.detector import DetectedFace
from fer_core.errors import DetectorError
from fer_core.faces import RgbImage
from fer_core.inference.abstention import AbstainReason
from fer_core.labels import Expression
from fer_core.live.crop_change import CROP_CHANGE_MAX_01, crop_change_01
from fer_core.live.predictor import (
    FACES_PER_FRAME_MAX,
    PREDICT_EVERY_S,
    SEARCH_EVERY_S,
    TTA_WITHIN_S,
    LivePredictor,
)
from tests.fer_core.live.marked_faces import SIDE_PX, HalvesModel, MarkedDetector, make_predictor, scene, synthetic_face

FRAME_S = 1 / 30
SMALL_SIZE = (480, 640)
POSITIONS = [(60 + 300 * (number % 4), 100 + 300 * (number // 4)) for number in range(8)]


NOISE = np.random.default_rng(0).normal(0, 3.0, 3_000_000).astype(np.float32)


def with_noise(frame: RgbImage, seed: int) -> RgbImage:
    """Add camera noise of three gray levels."""
    noise = NOISE[1000 * seed :][: frame.size].reshape(frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


class FrameSequence:
    """A live predictor with fake model and detector that gets one frame after another."""

    def __init__(self, model: HalvesModel | None = None) -> None:
        self.model, self.detector = model or HalvesModel(), MarkedDetector()
        self.predictor = LivePredictor(make_predictor(self.model, self.detector))
        self.at_s = 0.0

    def show(self, frame: RgbImage, point: str = "accurate") -> list[dict[Expression, float]]:
        self.at_s += FRAME_S
        return [prediction.probabilities for prediction in self.predictor.predict(frame, self.at_s, point=point)]


def test_a_still_face_is_averaged_with_its_mirror_image() -> None:
    sequence = FrameSequence()
    frame = scene({(400, 200): synthetic_face(Expression.ANGER)})
    predictions = [sequence.show(with_noise(frame, seed)) for seed in range(10)]
    assert sequence.model.batch_sizes == [1, 1], "later frames are unchanged"
    (first,), (second,), (tenth,) = predictions[0], predictions[1], predictions[-1]
    assert abs(first[Expression.HAPPINESS] - 0.5) > 0.01, "a single pass prefers a side"
    assert second[Expression.HAPPINESS] == pytest.approx(0.5, abs=1e-3)
    assert tenth == second


def test_without_flip_tta_a_still_face_is_predicted_once() -> None:
    sequence = FrameSequence(HalvesModel(flip_tta_removed=False))
    frame = scene({(400, 200): synthetic_face(Expression.ANGER)})
    first, *rest = [sequence.show(frame) for _ in range(10)]
    assert sequence.model.batch_sizes == [1]
    assert all(prediction == first for prediction in rest)


def test_a_still_face_is_predicted_again_after_an_interval() -> None:
    sequence = FrameSequence()
    frame = scene({(400, 200): synthetic_face()})
    frames = round(2 * PREDICT_EVERY_S / FRAME_S) + 5
    for seed in range(frames):
        sequence.show(with_noise(frame, seed))
    assert sum(sequence.model.batch_sizes) == 6, "twice at the start, and twice after each interval"


@pytest.mark.parametrize("person", range(2))
@pytest.mark.parametrize(("expression", "next_expression"), list(combinations(Expression, 2)))
def test_a_changed_expression_is_predicted_in_the_same_frame(
    expression: Expression, next_expression: Expression, person: int
) -> None:
    sequence = FrameSequence()
    for seed in range(3 + round(TTA_WITHIN_S / FRAME_S)):
        sequence.show(with_noise(scene({(400, 200): synthetic_face(expression, person)}, SMALL_SIZE), seed))
    assert sequence.model.batch_sizes == [1, 1]
    changed_frame = with_noise(scene({(400, 200): synthetic_face(next_expression, person)}, SMALL_SIZE), 9)
    (prediction,) = sequence.show(changed_frame)
    assert sequence.model.batch_sizes == [1, 1, 1]
    (expected,) = FrameSequence().show(changed_frame)
    assert prediction[Expression.HAPPINESS] == pytest.approx(expected[Expression.HAPPINESS], abs=0.02), (
        "not averaged with the previous expression"
    )


def test_noise_is_ignored_and_slow_drift_is_a_change() -> None:
    contract = HalvesModel().contract
    face = synthetic_face(Expression.SADNESS)
    noise = [
        crop_change_01(contract.resize(with_noise(face, seed)), contract.resize(with_noise(face, 50 + seed)))
        for seed in range(20)
    ]
    assert max(noise) < CROP_CHANGE_MAX_01
    sequence = FrameSequence()
    for step in range(12):  # within PREDICT_EVERY_S
        sequence.show(scene({(400, 200): np.clip(face.astype(int) + 2 * step, 0, 255).astype(np.uint8)}))
    assert sum(sequence.model.batch_sizes) > 2


def test_a_moving_face_is_predicted_in_every_frame_and_averaged_with_its_mirror_image() -> None:
    sequence = FrameSequence()
    happiness = [sequence.show(frame)[0][Expression.HAPPINESS] for frame in moving_face_frames(12)]
    assert sequence.model.batch_sizes == [1] * 12
    assert abs(happiness[0] - 0.5) > 0.01, "a single pass prefers a side"
    assert np.abs(np.array(happiness[1:]) - 0.5).max() < 0.005


def test_distant_frames_are_not_averaged() -> None:
    sequence = FrameSequence()
    happiness = []
    for frame in moving_face_frames(6):
        sequence.at_s += TTA_WITHIN_S
        happiness.append(sequence.show(frame)[0][Expression.HAPPINESS])
    sides = np.sign(np.array(happiness) - 0.5)
    assert (sides[1:] == -sides[:-1]).all(), "original and mirrored crops alternate"


def moving_face_frames(frames: int) -> list[RgbImage]:
    """Frames of a face that moves to the right and changes."""
    faces = [np.roll(synthetic_face(Expression.ANGER), 4 * step, 0) for step in range(frames)]
    return [scene({(300 + 10 * step, 200): face}) for step, face in enumerate(faces)]


class UnsureDetector(MarkedDetector):
    """Has a higher score when the lower half of the image is brighter."""

    def detect(self, image: RgbImage) -> list[DetectedFace]:
        half = len(image) // 2
        score_01 = 0.95 if image[half:].mean() > image[:half].mean() + 2 else 0.7
        return [replace(face, score_01=score_01) for face in super().detect(image)]


@pytest.mark.parametrize("upside_down", [False, True])
def test_an_upside_down_face_is_recognized_and_checked_once_a_second(upside_down: bool) -> None:
    sequence = FrameSequence()
    sequence.detector = UnsureDetector()
    sequence.predictor = LivePredictor(make_predictor(sequence.model, sequence.detector))
    face = np.full((SIDE_PX - 8, SIDE_PX - 8, 3), 40, np.uint8)
    face[: len(face) // 2 if upside_down else 0] = 220
    face[len(face) // 2 if not upside_down else len(face) :] = 220
    frame = scene({(400, 200): face}, SMALL_SIZE)
    rotated, turn_sizes = [], []
    for _ in range(round(2.5 / FRAME_S)):
        sequence.at_s += FRAME_S
        sequence.detector.image_sizes.clear()
        (prediction,) = sequence.predictor.predict(frame, sequence.at_s)
        rotated.append(prediction.quality is not None and prediction.quality.is_rotated)
        turn_sizes += [size for size in sequence.detector.image_sizes if size[0] == size[1]]
    assert rotated == [upside_down] * len(rotated)
    assert (AbstainReason.ROTATED in prediction.abstain_reasons) is upside_down
    assert len(turn_sizes) <= 3 * 3, "three rotations, at 0, 1 and 2 seconds"


def test_many_faces_are_predicted_in_turns() -> None:
    sequence = FrameSequence()
    faces = [
        [synthetic_face(Expression.ANGER, person), synthetic_face(Expression.SURPRISE, person)] for person in range(8)
    ]
    counts = [
        len(sequence.show(scene({position: faces[i][step % 2] for i, position in enumerate(POSITIONS)})))
        for step in range(8)
    ]
    assert counts[0] == FACES_PER_FRAME_MAX and counts[1:] == [8] * 7
    assert sequence.model.batch_sizes == [FACES_PER_FRAME_MAX] * 8
    prediction_times_s = [track.predicted_s for track in sequence.predictor._faces]
    assert sequence.at_s - min(prediction_times_s) <= 8 / FACES_PER_FRAME_MAX * FRAME_S


def test_between_searches_only_regions_of_moving_faces_are_searched() -> None:
    sequence = FrameSequence()
    frames = [scene({(300 + 8 * step, 200 + 3 * step): synthetic_face()}) for step in range(20)]
    for step, frame in enumerate(frames):
        sequence.show(frame)
        (box,) = (track.face.box for track in sequence.predictor._faces)
        assert abs(box.x - 300 - 8 * step) <= 5 and abs(box.y - 200 - 3 * step) <= 5
    full_searches = [shape for shape in sequence.detector.image_sizes if shape == (720, 1280)]
    assert len(full_searches) == pytest.approx(20 * FRAME_S / SEARCH_EVERY_S, abs=1)
    region_searches = [shape for shape in sequence.detector.image_sizes if shape != (720, 1280)]
    assert region_searches and max(height * width for height, width in region_searches) < 0.2 * 640 * 360


def test_a_still_face_is_not_searched_between_searches() -> None:
    sequence = FrameSequence()
    for seed in range(6):
        sequence.show(with_noise(scene({(400, 200): synthetic_face()}), seed))
    assert sequence.detector.image_sizes == [(720, 1280)]


def test_a_new_face_is_found_in_the_same_frame() -> None:
    sequence = FrameSequence()
    one_face = {(400, 200): synthetic_face()}
    sequence.show(scene(one_face))
    sequence.show(scene(one_face))
    assert len(sequence.show(scene({**one_face, (900, 300): synthetic_face(person=1)}))) == 2


def test_a_lost_or_displaced_face_is_noticed_in_the_same_frame() -> None:
    sequence = FrameSequence()
    sequence.show(scene({(400, 200): synthetic_face()}))
    assert sequence.show(scene({})) == []
    sequence.show(scene({(400, 200): synthetic_face()}))
    sequence.show(scene({(700, 500): synthetic_face()}))
    (track,) = sequence.predictor._faces
    assert (track.face.box.x, track.face.box.y) == (700, 500)


def test_another_operating_point_needs_no_prediction() -> None:
    sequence = FrameSequence()
    points = sequence.model.calibration.points
    balanced = points["balanced"].model_copy(update={"temperature": 2.0})
    sequence.model.calibration = sequence.model.calibration.model_copy(
        update={"points": {**points, "balanced": balanced}}
    )
    frame = scene(
        {(400, 200): np.tile(np.linspace(20, 230, SIDE_PX - 8), (SIDE_PX - 8, 1))[..., None].astype(np.uint8)}
    )
    sequence.predictor._orientations = (False,)
    (accurate,) = sequence.show(frame)
    (rebalanced,) = sequence.show(frame, "balanced")
    assert sequence.model.batch_sizes == [1]
    assert abs(rebalanced[Expression.HAPPINESS] - 0.5) < abs(accurate[Expression.HAPPINESS] - 0.5)


def test_another_video_size_restarts_tracking() -> None:
    sequence = FrameSequence()
    sequence.show(scene({(400, 200): synthetic_face()}))
    assert len(sequence.show(scene({(100, 100): synthetic_face()}, size=(480, 640)))) == 1
    assert sequence.detector.image_sizes == [(720, 1280), (480, 640)]


def test_a_detector_is_required() -> None:
    with pytest.raises(DetectorError, match="needs a face detector"):
        LivePredictor(make_predictor(HalvesModel()))
