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
from fer_core.live.predictor import (
    CROP_CHANGE_MAX_01,
    FACES_PER_FRAME_MAX,
    PREDICT_EVERY_S,
    SEARCH_EVERY_S,
    TTA_WITHIN_S,
    LivePredictor,
    crop_change_01,
)
from tests.fer_core.live.marked_faces import SIDE_PX, HalvesModel, MarkedDetector, drawn, predictor_of, scene

FRAME_S = 1 / 30
SMALL = (480, 640)
EIGHT = [(60 + 300 * (number % 4), 100 + 300 * (number // 4)) for number in range(8)]


NOISE = np.random.default_rng(0).normal(0, 3.0, 3_000_000).astype(np.float32)


def noisy(frame: RgbImage, seed: int) -> RgbImage:
    """With a camera's noise, three gray levels; another one for each seed."""
    noise = NOISE[1000 * seed :][: frame.size].reshape(frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


class Watched:
    """A reader with its stand-ins, shown frame after frame."""

    def __init__(self, model: HalvesModel | None = None) -> None:
        self.model, self.detector = model or HalvesModel(), MarkedDetector()
        self.reader = LivePredictor(predictor_of(self.model, self.detector))
        self.at_s = 0.0

    def show(self, frame: RgbImage, point: str = "accurate") -> list[dict[Expression, float]]:
        self.at_s += FRAME_S
        return [prediction.probabilities for prediction in self.reader.predict(frame, self.at_s, point=point)]


def test_a_face_that_stays_is_read_twice_and_the_mean_of_it_and_its_mirror_image_holds() -> None:
    watched = Watched()
    frame = scene({(400, 200): drawn(Expression.ANGER)})
    shown = [watched.show(noisy(frame, seed)) for seed in range(10)]
    assert watched.model.asked == [1, 1], "then nothing has changed"
    (first,), (second,), (tenth,) = shown[0], shown[1], shown[-1]
    assert abs(first[Expression.HAPPINESS] - 0.5) > 0.01, "a single pass prefers a side"
    assert second[Expression.HAPPINESS] == pytest.approx(0.5, abs=1e-3)
    assert tenth == second


def test_without_flip_tta_in_the_model_a_face_that_stays_is_read_once_as_it_is() -> None:
    watched = Watched(HalvesModel(flip_tta_removed=False))
    frame = scene({(400, 200): drawn(Expression.ANGER)})
    first, *others = [watched.show(frame) for _ in range(10)]
    assert watched.model.asked == [1]
    assert all(each == first for each in others)


def test_a_face_that_stays_is_read_again_after_a_while() -> None:
    watched = Watched()
    frame = scene({(400, 200): drawn()})
    frames = round(2 * PREDICT_EVERY_S / FRAME_S) + 5
    for seed in range(frames):
        watched.show(noisy(frame, seed))
    assert sum(watched.model.asked) == 6, "twice at the start, and twice after each interval"


@pytest.mark.parametrize("who", range(2))
@pytest.mark.parametrize(("before", "after"), list(combinations(Expression, 2)))
def test_a_changed_expression_is_read_in_that_very_frame(before: Expression, after: Expression, who: int) -> None:
    watched = Watched()
    for seed in range(3 + round(TTA_WITHIN_S / FRAME_S)):
        watched.show(noisy(scene({(400, 200): drawn(before, who)}, SMALL), seed))
    assert watched.model.asked == [1, 1]
    new = noisy(scene({(400, 200): drawn(after, who)}, SMALL), 9)
    (changed,) = watched.show(new)
    assert watched.model.asked == [1, 1, 1]
    (expected,) = Watched().show(new)
    assert changed[Expression.HAPPINESS] == pytest.approx(expected[Expression.HAPPINESS], abs=0.02), "no old answer"


def test_noise_is_no_change_and_a_slow_drift_becomes_one() -> None:
    contract = HalvesModel().contract
    face = drawn(Expression.SADNESS)
    noise = [
        crop_change_01(contract.resize(noisy(face, seed)), contract.resize(noisy(face, 50 + seed)))
        for seed in range(20)
    ]
    assert max(noise) < CROP_CHANGE_MAX_01
    watched = Watched()
    for step in range(12):  # within PREDICT_EVERY_S
        watched.show(scene({(400, 200): np.clip(face.astype(int) + 2 * step, 0, 255).astype(np.uint8)}))
    assert sum(watched.model.asked) > 2


def test_a_moving_face_is_read_in_every_frame_and_the_mean_of_it_and_its_mirror_image_holds() -> None:
    watched = Watched()
    shown = [watched.show(frame)[0][Expression.HAPPINESS] for frame in moving(12)]
    assert watched.model.asked == [1] * 12
    assert abs(shown[0] - 0.5) > 0.01, "a single pass prefers a side"
    assert np.abs(np.array(shown[1:]) - 0.5).max() < 0.005


def test_frames_that_are_far_apart_are_not_averaged() -> None:
    watched = Watched()
    shown = []
    for frame in moving(6):
        watched.at_s += TTA_WITHIN_S
        shown.append(watched.show(frame)[0][Expression.HAPPINESS])
    sides = np.sign(np.array(shown) - 0.5)
    assert (sides[1:] == -sides[:-1]).all(), "it is read as it is and mirrored by turns"


def moving(frames: int) -> list[RgbImage]:
    """A face that goes to the right and turns."""
    faces = [np.roll(drawn(Expression.ANGER), 4 * step, 0) for step in range(frames)]
    return [scene({(300 + 10 * step, 200): face}) for step, face in enumerate(faces)]


class UnsureDetector(MarkedDetector):
    """Is surer of a face the more of the light in its picture falls from below."""

    def detect(self, image: RgbImage) -> list[DetectedFace]:
        half = len(image) // 2
        score_01 = 0.95 if image[half:].mean() > image[:half].mean() + 2 else 0.7
        return [replace(face, score_01=score_01) for face in super().detect(image)]


@pytest.mark.parametrize("upside_down", [False, True])
def test_a_face_on_its_head_is_seen_as_such_and_looked_at_once_a_second(upside_down: bool) -> None:
    watched = Watched()
    watched.detector = UnsureDetector()
    watched.reader = LivePredictor(predictor_of(watched.model, watched.detector))
    face = np.full((SIDE_PX - 8, SIDE_PX - 8, 3), 40, np.uint8)
    face[: len(face) // 2 if upside_down else 0] = 220
    face[len(face) // 2 if not upside_down else len(face) :] = 220
    frame = scene({(400, 200): face}, SMALL)
    seen, small = [], []
    for _ in range(round(2.5 / FRAME_S)):
        watched.at_s += FRAME_S
        watched.detector.shown.clear()
        (prediction,) = watched.reader.predict(frame, watched.at_s)
        seen.append(prediction.quality is not None and prediction.quality.is_rotated)
        small += [size for size in watched.detector.shown if size[0] == size[1]]
    assert seen == [upside_down] * len(seen)
    assert (AbstainReason.ROTATED in prediction.abstain_reasons) is upside_down
    assert len(small) <= 3 * 3, "three turns, at 0, 1 and 2 seconds"


def test_many_faces_are_read_a_few_in_a_frame_and_none_waits_long() -> None:
    watched = Watched()
    turns = [[drawn(Expression.ANGER, who), drawn(Expression.SURPRISE, who)] for who in range(8)]
    seen = [len(watched.show(scene({place: turns[i][step % 2] for i, place in enumerate(EIGHT)}))) for step in range(8)]
    assert seen[0] == FACES_PER_FRAME_MAX and seen[1:] == [8] * 7
    assert watched.model.asked == [FACES_PER_FRAME_MAX] * 8
    reads = [each.predicted_s for each in watched.reader._faces]
    assert watched.at_s - min(reads) <= 8 / FACES_PER_FRAME_MAX * FRAME_S


def test_between_searches_only_the_surroundings_of_a_moving_face_are_looked_at() -> None:
    watched = Watched()
    frames = [scene({(300 + 8 * step, 200 + 3 * step): drawn()}) for step in range(20)]
    for step, frame in enumerate(frames):
        watched.show(frame)
        (box,) = (each.face.box for each in watched.reader._faces)
        assert abs(box.x - 300 - 8 * step) <= 5 and abs(box.y - 200 - 3 * step) <= 5
    whole = [shape for shape in watched.detector.shown if shape == (720, 1280)]
    assert len(whole) == pytest.approx(20 * FRAME_S / SEARCH_EVERY_S, abs=1)
    parts = [shape for shape in watched.detector.shown if shape != (720, 1280)]
    assert parts and max(height * width for height, width in parts) < 0.2 * 640 * 360


def test_a_face_that_stays_is_not_even_looked_for_between_searches() -> None:
    watched = Watched()
    for seed in range(6):
        watched.show(noisy(scene({(400, 200): drawn()}), seed))
    assert watched.detector.shown == [(720, 1280)]


def test_a_face_that_comes_into_view_is_found_in_that_very_frame() -> None:
    watched = Watched()
    one = {(400, 200): drawn()}
    watched.show(scene(one))
    watched.show(scene(one))
    assert len(watched.show(scene({**one, (900, 300): drawn(who=1)}))) == 2


def test_a_face_that_leaves_or_jumps_is_noticed_in_that_very_frame() -> None:
    watched = Watched()
    watched.show(scene({(400, 200): drawn()}))
    assert watched.show(scene({})) == []
    watched.show(scene({(400, 200): drawn()}))
    watched.show(scene({(700, 500): drawn()}))
    (each,) = watched.reader._faces
    assert (each.face.box.x, each.face.box.y) == (700, 500)


def test_another_operating_point_asks_nothing_anew() -> None:
    watched = Watched()
    points = watched.model.calibration.points
    balanced = points["balanced"].model_copy(update={"temperature": 2.0})
    watched.model.calibration = watched.model.calibration.model_copy(
        update={"points": {**points, "balanced": balanced}}
    )
    frame = scene(
        {(400, 200): np.tile(np.linspace(20, 230, SIDE_PX - 8), (SIDE_PX - 8, 1))[..., None].astype(np.uint8)}
    )
    watched.reader._orientations = (False,)
    (accurate,) = watched.show(frame)
    (other,) = watched.show(frame, "balanced")
    assert watched.model.asked == [1]
    assert abs(other[Expression.HAPPINESS] - 0.5) < abs(accurate[Expression.HAPPINESS] - 0.5)


def test_another_size_of_the_video_begins_anew() -> None:
    watched = Watched()
    watched.show(scene({(400, 200): drawn()}))
    assert len(watched.show(scene({(100, 100): drawn()}, size=(480, 640)))) == 1
    assert watched.detector.shown == [(720, 1280), (480, 640)]


def test_without_a_detector_there_is_nothing_to_follow() -> None:
    with pytest.raises(DetectorError, match="needs a face detector"):
        LivePredictor(predictor_of(HalvesModel()))
