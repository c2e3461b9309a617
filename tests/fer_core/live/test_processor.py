from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fer_core.calibration import Calibration
from fer_core.errors import BundleError
from fer_core.faces import FaceBox, RgbImage
from fer_core.inference.predictor import FacePrediction
from fer_core.labels import Expression
from fer_core.live.predictor import LivePredictor
from fer_core.live.processor import LiveProcessor
from tests.fer_core.live.marked_faces import HalvesModel, MarkedDetector, make_predictor, scene, synthetic_face

BOX = FaceBox(20, 30, 40, 40)
COLORS = dict.fromkeys(Expression, (240, 228, 66))
WAIT_S = 5.0


class FakePredictor:
    """Predicts one happy face at `BOX` in every frame and records the first pixels; may wait or fail before."""

    def __init__(self, on_predict: Callable[[RgbImage], None] = lambda image: None) -> None:
        self.bundle = SimpleNamespace(calibration=Calibration.identity((Expression.HAPPINESS, Expression.FEAR)))
        self.detector = None
        self.first_pixels: list[int] = []
        self.points: list[str] = []
        self.threads: set[str] = set()
        self._before = on_predict

    def predict(self, image: RgbImage, at_s: float, *, point: str = "accurate") -> list[FacePrediction]:
        self.first_pixels.append(int(image[0, 0, 0]))
        self.points.append(point)
        self.threads.add(threading.current_thread().name)
        self._before(image)
        values = {Expression.HAPPINESS: 0.9, Expression.FEAR: 0.1}
        crop = np.zeros((8, 8, 3), np.uint8)
        return [FacePrediction(BOX, "fake", 0.9, Expression.HAPPINESS, 0.9, False, "", values, crop)]


def frame(number: int = 0) -> RgbImage:
    return np.full((96, 128, 3), number, np.uint8)


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "timeout"
        time.sleep(0.002)


def use_predictor(predictor: Any) -> Any:
    """Use the fake predictor as frame predictor."""
    return predictor


def analysis_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "live-analysis"]


@pytest.fixture
def make_processor() -> Iterator[Callable[..., LiveProcessor]]:
    """Make and start processors, and stop them at the end."""
    processors: list[LiveProcessor] = []

    def make(predictor: Any, **options: Any) -> LiveProcessor:
        processor = LiveProcessor(predictor, colors=COLORS, **{"frame_predictor": use_predictor, **options})
        processor.start()
        processors.append(processor)
        return processor

    yield make
    for processor in processors:
        processor.stop()
    wait_until(lambda: not analysis_threads())


def test_submit_does_not_wait_and_only_the_newest_frame_is_analyzed(
    make_processor: Callable[..., LiveProcessor],
) -> None:
    release = threading.Event()
    predictor = FakePredictor(lambda image: release.wait(WAIT_S) and None)
    processor = make_processor(predictor)
    processor.submit(frame(1), time.monotonic())
    wait_until(lambda: predictor.first_pixels == [1])
    start_s = time.monotonic()
    for number in range(2, 60):
        processor.submit(frame(number), time.monotonic())
        processor.annotate(frame(number))
        processor.snapshot()
    assert time.monotonic() - start_s < 1.0
    release.set()
    wait_until(lambda: len(predictor.first_pixels) == 2)
    assert predictor.first_pixels == [1, 59]
    assert predictor.threads == {"live-analysis"}


def test_a_failing_predictor_is_reported_and_does_not_end_the_thread(
    make_processor: Callable[..., LiveProcessor], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(image: RgbImage) -> None:
        if image[0, 0, 0] < 3:
            raise BundleError("The model broke. Choose another.")
        if image[0, 0, 0] == 3:
            raise ZeroDivisionError("by nought")

    predictor = FakePredictor(fail)
    processor = make_processor(predictor)
    with caplog.at_level(logging.ERROR, logger="fer_core"):
        for number in (1, 2):
            processor.submit(frame(number), time.monotonic())
            wait_until(lambda number=number: number in predictor.first_pixels)
        wait_until(lambda: processor.snapshot().error == "The model broke. Choose another.")
        processor.submit(frame(3), time.monotonic())
        wait_until(lambda: "ZeroDivisionError" in processor.snapshot().error)
        wait_until(
            lambda: any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records)
        )
    assert len(caplog.records) == 2, "the same error is logged once"
    assert all(record.exc_info for record in caplog.records)
    assert processor.snapshot().faces == ()
    processor.submit(frame(4), time.monotonic())
    wait_until(lambda: processor.snapshot().faces)


def test_an_error_expires() -> None:
    now = [100.0]
    processor = LiveProcessor(FakePredictor(), colors=COLORS, clock=lambda: now[0])  # type: ignore[arg-type]
    processor.report_error(BundleError("broken"))
    assert processor.snapshot().error == "broken"
    now[0] += 6
    assert processor.snapshot().error == ""


def test_the_result_is_drawn_on_later_mirrored_frames(make_processor: Callable[..., LiveProcessor]) -> None:
    processor = make_processor(FakePredictor())
    processor.submit(frame(50), time.monotonic())
    wait_until(lambda: processor.snapshot().faces)
    image = frame(50)
    image[:, :10] = 200
    original = image.copy()
    annotated = processor.annotate(image)
    assert annotated.shape == image.shape and annotated.dtype == np.uint8
    assert (image == original).all(), "the camera's frame is unchanged"
    assert (annotated[5, -10:] == 200).all(), "mirrored"
    changed = (annotated != original[:, ::-1]).any(axis=2)
    columns = np.flatnonzero(changed[50])
    expected_left = 128 - BOX.x - BOX.width
    assert abs(columns.min() - expected_left) <= 3
    assert abs(columns.max() - (expected_left + BOX.width)) <= 3


def test_a_stale_result_is_neither_drawn_nor_reported(make_processor: Callable[..., LiveProcessor]) -> None:
    now = [100.0]
    processor = make_processor(FakePredictor(), clock=lambda: now[0])
    processor.submit(frame(50), 100.0)
    wait_until(lambda: processor.snapshot().faces)
    assert (processor.annotate(frame(50)) != 50).any()
    now[0] = 101.5
    assert (processor.annotate(frame(50)) == 50).all()
    assert processor.snapshot().faces == ()
    assert processor.snapshot().last_frame_age_s == pytest.approx(1.5)


def test_the_status_has_rates_and_latency(make_processor: Callable[..., LiveProcessor]) -> None:
    now = [0.0]
    predictor = FakePredictor(lambda image: now.__setitem__(0, now[0] + 0.04))
    processor = make_processor(predictor, clock=lambda: now[0])
    on_predict = processor.snapshot()
    assert (on_predict.frames_per_s, on_predict.latency_ms, on_predict.last_frame_age_s) == (0, None, None)
    for number in range(20):
        now[0] += 0.06
        processor.submit(frame(number), now[0])
        processor.annotate(frame(number))
        wait_until(lambda number=number: len(predictor.first_pixels) == number + 1)
        wait_until(lambda: processor.snapshot().last_frame_age_s)
    wait_until(lambda: processor.snapshot().predictions_per_s > 9)
    status = processor.snapshot()
    assert status.frames_per_s == pytest.approx(10, rel=0.1)
    assert status.latency_ms == pytest.approx(40)
    (face,) = status.faces
    assert (face.label, face.uncertain) == (Expression.HAPPINESS, False)
    assert face.confidence == pytest.approx(0.9)
    assert face.probabilities[Expression.FEAR] == pytest.approx(0.1)


def test_another_operating_point_applies_to_the_next_frame(make_processor: Callable[..., LiveProcessor]) -> None:
    predictor = FakePredictor()
    processor = make_processor(predictor)
    processor.submit(frame(1), time.monotonic())
    wait_until(lambda: predictor.points == ["accurate"])
    processor.set_predictor(predictor, "balanced")  # type: ignore[arg-type]
    processor.submit(frame(2), time.monotonic())
    wait_until(lambda: predictor.points == ["accurate", "balanced"])


def test_stop_ends_the_thread_and_start_resets_the_state(make_processor: Callable[..., LiveProcessor]) -> None:
    processor = make_processor(FakePredictor())
    processor.submit(frame(1), time.monotonic())
    wait_until(lambda: processor.snapshot().faces)
    start_s = time.monotonic()
    processor.stop()
    assert time.monotonic() - start_s < 1.0
    assert analysis_threads() == []
    processor.submit(frame(2), time.monotonic())
    assert analysis_threads() == [], "a late frame starts no thread"
    processor.start()
    assert processor.snapshot().faces == ()
    processor.submit(frame(3), time.monotonic())
    wait_until(lambda: processor.snapshot().faces)


def test_stop_waits_at_most_a_second_and_drops_a_late_result(make_processor: Callable[..., LiveProcessor]) -> None:
    release = threading.Event()
    predictor = FakePredictor(lambda image: release.wait(WAIT_S) and None)
    processor = make_processor(predictor)
    processor.submit(frame(1), time.monotonic())
    wait_until(lambda: predictor.first_pixels)
    start_s = time.monotonic()
    processor.stop()
    assert 0.9 < time.monotonic() - start_s < 2.0
    processor.start()
    release.set()
    wait_until(lambda: not analysis_threads())
    assert processor.snapshot().faces == ()


def test_an_idle_thread_ends_and_the_next_frame_starts_another(make_processor: Callable[..., LiveProcessor]) -> None:
    predictor = FakePredictor()
    processor = make_processor(predictor, idle_after_s=0.05)
    processor.submit(frame(1), time.monotonic())
    wait_until(lambda: predictor.first_pixels == [1])
    wait_until(lambda: not analysis_threads())
    processor.submit(frame(2), time.monotonic())
    wait_until(lambda: predictor.first_pixels == [1, 2])


def test_tracked_faces_are_kept_until_the_model_changes(make_processor: Callable[..., LiveProcessor]) -> None:
    now = [100.0]
    model, detector = HalvesModel(), MarkedDetector()
    processor = make_processor(make_predictor(model, detector), clock=lambda: now[0], frame_predictor=LivePredictor)
    image = scene({(200, 200): synthetic_face()}, (480, 640))

    def show_frames(times: int) -> None:
        for _ in range(times):
            now[0] += 0.03
            processor.submit(image, now[0])
            wait_until(lambda: processor._stats.result and processor._stats.result.at_s == now[0])

    show_frames(4)
    processor.set_predictor(make_predictor(model, detector), "balanced")
    show_frames(3)
    assert sum(model.batch_sizes) == 2, "the same model in a new predictor"
    other_model = HalvesModel()
    processor.set_predictor(make_predictor(other_model, detector), "balanced")
    show_frames(3)
    assert (sum(other_model.batch_sizes), sum(model.batch_sizes)) == (2, 2)
