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
from tests.fer_core.live.marked_faces import HalvesModel, MarkedDetector, drawn, predictor_of, scene

BOX = FaceBox(20, 30, 40, 40)
COLORS = dict.fromkeys(Expression, (240, 228, 66))
WAIT_S = 5.0


class FakePredictor:
    """Reads one happy face at `BOX` in every frame; may wait or fail first. Remembers the frames' first pixels."""

    def __init__(self, before: Callable[[RgbImage], None] = lambda image: None) -> None:
        self.bundle = SimpleNamespace(calibration=Calibration.identity((Expression.HAPPINESS, Expression.FEAR)))
        self.detector = None
        self.seen: list[int] = []
        self.points: list[str] = []
        self.threads: set[str] = set()
        self._before = before

    def predict(self, image: RgbImage, at_s: float, *, point: str = "accurate") -> list[FacePrediction]:
        self.seen.append(int(image[0, 0, 0]))
        self.points.append(point)
        self.threads.add(threading.current_thread().name)
        self._before(image)
        values = {Expression.HAPPINESS: 0.9, Expression.FEAR: 0.1}
        crop = np.zeros((8, 8, 3), np.uint8)
        return [FacePrediction(BOX, "fake", 0.9, Expression.HAPPINESS, 0.9, False, "", values, crop)]


def frame(number: int = 0) -> RgbImage:
    return np.full((96, 128, 3), number, np.uint8)


def until(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def itself(predictor: Any) -> Any:
    """The stand-in reads frame after frame as well."""
    return predictor


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "live-analysis"]


@pytest.fixture
def made() -> Iterator[Callable[..., LiveProcessor]]:
    """Makes started processors and stops them at the end."""
    processors: list[LiveProcessor] = []

    def make(predictor: Any, **options: Any) -> LiveProcessor:
        processor = LiveProcessor(predictor, colors=COLORS, **{"frame_predictor": itself, **options})
        processor.start()
        processors.append(processor)
        return processor

    yield make
    for processor in processors:
        processor.stop()
    until(lambda: not workers())


def test_submit_never_waits_for_the_model_and_only_the_newest_frame_is_read(made: Callable[..., LiveProcessor]) -> None:
    release = threading.Event()
    predictor = FakePredictor(lambda image: release.wait(WAIT_S) and None)
    processor = made(predictor)
    processor.submit(frame(1), time.monotonic())
    until(lambda: predictor.seen == [1])
    started = time.monotonic()
    for number in range(2, 60):
        processor.submit(frame(number), time.monotonic())
        processor.annotate(frame(number))
        processor.snapshot()
    assert time.monotonic() - started < 1.0
    release.set()
    until(lambda: len(predictor.seen) == 2)
    assert predictor.seen == [1, 59]
    assert predictor.threads == {"live-analysis"}


def test_a_predictor_that_fails_is_shown_and_does_not_end_the_thread(
    made: Callable[..., LiveProcessor], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(image: RgbImage) -> None:
        if image[0, 0, 0] < 3:
            raise BundleError("The model broke. Choose another.")
        if image[0, 0, 0] == 3:
            raise ZeroDivisionError("by nought")

    predictor = FakePredictor(fail)
    processor = made(predictor)
    with caplog.at_level(logging.ERROR, logger="fer_core"):
        for number in (1, 2):
            processor.submit(frame(number), time.monotonic())
            until(lambda number=number: number in predictor.seen)
        until(lambda: processor.snapshot().error == "The model broke. Choose another.")
        processor.submit(frame(3), time.monotonic())
        until(lambda: "ZeroDivisionError" in processor.snapshot().error)
        until(lambda: any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records))
    assert len(caplog.records) == 2, "the same error is logged once"
    assert all(record.exc_info for record in caplog.records)
    assert processor.snapshot().faces == ()
    processor.submit(frame(4), time.monotonic())
    until(lambda: processor.snapshot().faces)


def test_an_error_is_forgotten_after_some_seconds() -> None:
    now = [100.0]
    processor = LiveProcessor(FakePredictor(), colors=COLORS, clock=lambda: now[0])  # type: ignore[arg-type]
    processor.report_error(BundleError("broken"))
    assert processor.snapshot().error == "broken"
    now[0] += 6
    assert processor.snapshot().error == ""


def test_the_result_is_drawn_on_later_frames_mirrored(made: Callable[..., LiveProcessor]) -> None:
    processor = made(FakePredictor())
    processor.submit(frame(50), time.monotonic())
    until(lambda: processor.snapshot().faces)
    picture = frame(50)
    picture[:, :10] = 200
    kept = picture.copy()
    shown = processor.annotate(picture)
    assert shown.shape == picture.shape and shown.dtype == np.uint8
    assert (picture == kept).all(), "the camera's frame is not drawn on"
    assert (shown[5, -10:] == 200).all(), "mirrored"
    changed = (shown != kept[:, ::-1]).any(axis=2)
    columns = np.flatnonzero(changed[50])
    mirrored_left = 128 - BOX.x - BOX.width
    assert abs(columns.min() - mirrored_left) <= 3
    assert abs(columns.max() - (mirrored_left + BOX.width)) <= 3


def test_a_stale_result_is_not_drawn_and_not_reported(made: Callable[..., LiveProcessor]) -> None:
    now = [100.0]
    processor = made(FakePredictor(), clock=lambda: now[0])
    processor.submit(frame(50), 100.0)
    until(lambda: processor.snapshot().faces)
    assert (processor.annotate(frame(50)) != 50).any()
    now[0] = 101.5
    assert (processor.annotate(frame(50)) == 50).all()
    assert processor.snapshot().faces == ()
    assert processor.snapshot().last_frame_age_s == pytest.approx(1.5)


def test_the_status_counts_frames_and_readings_and_their_delay(made: Callable[..., LiveProcessor]) -> None:
    now = [0.0]
    predictor = FakePredictor(lambda image: now.__setitem__(0, now[0] + 0.04))
    processor = made(predictor, clock=lambda: now[0])
    before = processor.snapshot()
    assert (before.frames_per_s, before.latency_ms, before.last_frame_age_s) == (0, None, None)
    for number in range(20):
        now[0] += 0.06
        processor.submit(frame(number), now[0])
        processor.annotate(frame(number))
        until(lambda number=number: len(predictor.seen) == number + 1)
        until(lambda: processor.snapshot().last_frame_age_s)
    until(lambda: processor.snapshot().predictions_per_s > 9)
    status = processor.snapshot()
    assert status.frames_per_s == pytest.approx(10, rel=0.1)
    assert status.latency_ms == pytest.approx(40)
    (face,) = status.faces
    assert (face.label, face.uncertain) == (Expression.HAPPINESS, False)
    assert face.confidence == pytest.approx(0.9)
    assert face.probabilities[Expression.FEAR] == pytest.approx(0.1)


def test_another_operating_point_counts_from_the_next_frame(made: Callable[..., LiveProcessor]) -> None:
    predictor = FakePredictor()
    processor = made(predictor)
    processor.submit(frame(1), time.monotonic())
    until(lambda: predictor.points == ["accurate"])
    processor.set_predictor(predictor, "balanced")  # type: ignore[arg-type]
    processor.submit(frame(2), time.monotonic())
    until(lambda: predictor.points == ["accurate", "balanced"])


def test_stop_ends_the_thread_and_start_begins_afresh(made: Callable[..., LiveProcessor]) -> None:
    processor = made(FakePredictor())
    processor.submit(frame(1), time.monotonic())
    until(lambda: processor.snapshot().faces)
    started = time.monotonic()
    processor.stop()
    assert time.monotonic() - started < 1.0
    assert workers() == []
    processor.submit(frame(2), time.monotonic())
    assert workers() == [], "a frame that comes late starts nothing"
    processor.start()
    assert processor.snapshot().faces == ()
    processor.submit(frame(3), time.monotonic())
    until(lambda: processor.snapshot().faces)


def test_stop_waits_a_second_at_most_and_drops_the_late_result(made: Callable[..., LiveProcessor]) -> None:
    release = threading.Event()
    predictor = FakePredictor(lambda image: release.wait(WAIT_S) and None)
    processor = made(predictor)
    processor.submit(frame(1), time.monotonic())
    until(lambda: predictor.seen)
    started = time.monotonic()
    processor.stop()
    assert 0.9 < time.monotonic() - started < 2.0
    processor.start()
    release.set()
    until(lambda: not workers())
    assert processor.snapshot().faces == ()


def test_an_idle_thread_ends_and_the_next_frame_starts_another(made: Callable[..., LiveProcessor]) -> None:
    predictor = FakePredictor()
    processor = made(predictor, idle_after_s=0.05)
    processor.submit(frame(1), time.monotonic())
    until(lambda: predictor.seen == [1])
    until(lambda: not workers())
    processor.submit(frame(2), time.monotonic())
    until(lambda: predictor.seen == [1, 2])


def test_a_running_video_remembers_its_faces_until_the_model_is_another(made: Callable[..., LiveProcessor]) -> None:
    now = [100.0]
    model, detector = HalvesModel(), MarkedDetector()
    processor = made(predictor_of(model, detector), clock=lambda: now[0], frame_predictor=LivePredictor)
    picture = scene({(200, 200): drawn()}, (480, 640))

    def shown(times: int) -> None:
        for _ in range(times):
            now[0] += 0.03
            processor.submit(picture, now[0])
            until(lambda: processor._stats.result and processor._stats.result.at_s == now[0])

    shown(4)
    processor.set_predictor(predictor_of(model, detector), "balanced")
    shown(3)
    assert sum(model.asked) == 2, "the same model, of which a page has made another predictor"
    other = HalvesModel()
    processor.set_predictor(predictor_of(other, detector), "balanced")
    shown(3)
    assert (sum(other.asked), sum(model.asked)) == (2, 2)
