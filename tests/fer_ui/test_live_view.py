from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import streamlit as st
from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRelay
from av import VideoFrame

from fer_core.faces import RgbImage
from fer_core.inference.predictor import Predictor
from fer_core.jobs.yielding import asked_to_yield
from fer_core.labels import Expression
from fer_core.live.processor import LiveProcessor, LiveStatus
from fer_core.settings import Settings
from fer_ui.live_view import LiveSession, Video, _on_frame, _show_status, _trouble, relay_newest_frames


class FakeProcessor:
    """Turns a frame black, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls: list[str] = []
        self.reported: list[Exception] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def submit(self, frame: RgbImage, at_s: float) -> None:
        self.calls.append("submit")

    def annotate(self, frame: RgbImage) -> RgbImage:
        if self.error:
            raise self.error
        return np.zeros_like(frame)

    def report_error(self, error: Exception) -> None:
        self.reported.append(error)


class Camera(MediaStreamTrack):
    """Gives thirty frames at once, then nothing more."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.given = 0

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(60 if self.given == 30 else 0)
        self.given += 1
        frame = white()
        frame.pts = self.given
        return frame


def session(processor: Any = None) -> LiveSession:
    return LiveSession(cast(LiveProcessor, processor or FakeProcessor()))


def white() -> VideoFrame:
    return VideoFrame.from_ndarray(np.full((48, 64, 3), 255, np.uint8), format="rgb24")


def test_a_frame_is_offered_and_comes_back_drawn() -> None:
    processor = FakeProcessor()
    shown = _on_frame(cast(LiveProcessor, processor))(white())
    assert processor.calls == ["submit"]
    assert shown.to_ndarray(format="rgb24").max() == 0


def test_nothing_raises_out_of_the_callback_and_the_frame_passes_through(caplog: pytest.LogCaptureFixture) -> None:
    error = ZeroDivisionError("by nought")
    processor = FakeProcessor(error)
    frame = white()
    with caplog.at_level(logging.ERROR):
        assert _on_frame(cast(LiveProcessor, processor))(frame) is frame
    assert processor.reported == [error]


def test_a_picture_that_is_sent_back_slowly_is_the_newest_and_no_frame_is_kept() -> None:
    async def watch() -> list[int]:
        relay, camera = MediaRelay(), Camera()
        relay_newest_frames(relay)
        shown = relay.subscribe(camera)
        seen = [(await shown.recv()).pts]
        while camera.given < 30:
            await asyncio.sleep(0)
        seen.append((await shown.recv()).pts)
        shown.stop()
        return seen

    with ThreadPoolExecutor(1) as thread:  # this one may have an event loop of a browser test
        first, second = thread.submit(lambda: asyncio.run(watch())).result(timeout=60)
    assert first < second == 30


def test_the_processor_runs_while_the_video_does() -> None:
    processor = FakeProcessor()
    live = session(processor)
    live.follow(playing=False, connecting=True, now_s=1.0)
    live.follow(playing=True, connecting=False, now_s=2.0)
    live.follow(playing=False, connecting=False, now_s=3.0)
    assert processor.calls == ["start", "start", "stop"]
    assert not live.connection_failed


def test_a_connection_that_ends_before_any_video_has_failed() -> None:
    live = session()
    live.follow(playing=False, connecting=True, now_s=1.0)
    live.follow(playing=False, connecting=True, now_s=9.0)
    assert live.connecting_for_s(12.0) == 11.0
    live.follow(playing=False, connecting=False, now_s=20.0)
    assert live.connection_failed
    assert live.connecting_for_s(30.0) == 0
    live.follow(playing=False, connecting=True, now_s=31.0)
    assert not live.connection_failed


def test_a_person_who_stops_at_once_has_no_failed_connection() -> None:
    live = session()
    live.follow(playing=False, connecting=True, now_s=1.0)
    live.follow(playing=False, connecting=False, now_s=2.0)
    assert not live.connection_failed


@pytest.mark.parametrize("running", [True, False])
def test_jobs_are_asked_to_make_room_only_while_a_video_runs(
    running: bool, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_ui.live_view.headline", lambda *_: None)
    live = session(LiveProcessor(cast(Predictor, None), "accurate", colours={}))
    _show_status(live, list(Expression), None, Video(running, running, st.empty()))
    assert asked_to_yield(store) is running


def test_trouble_is_told_while_it_lasts_and_nothing_else() -> None:
    live = session()
    well = LiveStatus(25.0, 10.0, 40.0, (), "", 0.1)
    assert _trouble(live, well, True, 0.0) == []
    frozen = replace(well, error="The model failed.", last_frame_age_s=7.0)
    assert [kind for kind, _ in _trouble(live, frozen, True, 0.0)] == ["error", "warning"]
    assert [kind for kind, _ in _trouble(live, frozen, False, 0.0)] == ["error"]
    live.follow(playing=False, connecting=True, now_s=1.0)
    assert _trouble(live, well, False, 5.0) == []
    assert "TURN" in _trouble(live, well, False, 30.0)[0][1]
