from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import streamlit as st
import streamlit_webrtc.component as webrtc
from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRelay
from av import VideoFrame

from fer_core.faces import RgbImage
from fer_core.live.processor import LiveProcessor
from fer_ui.live.webrtc import _KEY, make_frame_callback, relay_newest_frames, show_webrtc_player, stop_webrtc_player


class FakeProcessor:
    """Turns a frame black, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls: list[str] = []
        self.reported: list[Exception] = []

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


def white() -> VideoFrame:
    return VideoFrame.from_ndarray(np.full((48, 64, 3), 255, np.uint8), format="rgb24")


def test_a_frame_is_offered_and_comes_back_drawn() -> None:
    processor = FakeProcessor()
    shown = make_frame_callback(cast(LiveProcessor, processor))(white())
    assert processor.calls == ["submit"]
    assert shown.to_ndarray(format="rgb24").max() == 0


def test_nothing_raises_out_of_the_callback_and_the_frame_passes_through(caplog: pytest.LogCaptureFixture) -> None:
    error = ZeroDivisionError("by nought")
    processor = FakeProcessor(error)
    frame = white()
    with caplog.at_level(logging.ERROR):
        assert make_frame_callback(cast(LiveProcessor, processor))(frame) is frame
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


class Runs:
    """A session whose runs streamlit-webrtc counts; `show` is a run of the Live page."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        monkeypatch.setattr(st, "session_state", {})
        monkeypatch.setattr(webrtc, "get_this_session_info", lambda: SimpleNamespace())
        monkeypatch.setattr(webrtc, "get_script_run_count", lambda _: self.count)
        monkeypatch.setattr("streamlit_webrtc.relay.get_global_relay", MediaRelay)
        monkeypatch.setattr(webrtc, "_component_func", lambda **_: {"playing": True})

    def show(self) -> Any:
        return show_webrtc_player(cast(LiveProcessor, FakeProcessor()), [])


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    return Runs(monkeypatch)


def test_a_video_goes_on_when_the_ends_of_two_runs_are_counted_at_once(runs: Runs) -> None:
    runs.show()._set_state(webrtc.WebRtcStreamerState(playing=True, signalling=False))
    runs.count += 2
    assert runs.show().state.playing


def test_a_video_is_over_once_another_page_was_shown(runs: Runs) -> None:
    runs.show()._set_state(webrtc.WebRtcStreamerState(playing=True, signalling=False))
    stop_webrtc_player()
    runs.count += 1
    assert not runs.show().state.playing
    runs.count += 1
    runs.show()._set_state(webrtc.WebRtcStreamerState(playing=True, signalling=False))
    assert runs.show().state.playing, "the new one plays on"


def test_a_page_without_a_player_is_left_as_it_is(runs: Runs) -> None:
    stop_webrtc_player()
    assert _KEY not in st.session_state
