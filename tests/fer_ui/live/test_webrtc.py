from __future__ import annotations

import asyncio
import logging
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
from tests.support.coroutines import run_coroutine


class FakeProcessor:
    """Returns black frames, or fails."""

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
    """Sends thirty frames at once, then no more."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.sent_count = 0

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(60 if self.sent_count == 30 else 0)
        self.sent_count += 1
        frame = white_frame()
        frame.pts = self.sent_count
        return frame


def white_frame() -> VideoFrame:
    return VideoFrame.from_ndarray(np.full((48, 64, 3), 255, np.uint8), format="rgb24")


def test_a_frame_is_submitted_and_returned_annotated() -> None:
    processor = FakeProcessor()
    annotated = make_frame_callback(cast(LiveProcessor, processor))(white_frame())
    assert processor.calls == ["submit"]
    assert annotated.to_ndarray(format="rgb24").max() == 0


def test_the_callback_passes_the_frame_through_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    error = ZeroDivisionError("by nought")
    processor = FakeProcessor(error)
    frame = white_frame()
    with caplog.at_level(logging.ERROR):
        assert make_frame_callback(cast(LiveProcessor, processor))(frame) is frame
    assert processor.reported == [error]


def test_a_slow_receiver_gets_the_newest_frame() -> None:
    async def receive_two_frames() -> list[int]:
        relay, camera = MediaRelay(), Camera()
        relay_newest_frames(relay)
        subscription = relay.subscribe(camera)
        timestamps = [(await subscription.recv()).pts]
        while camera.sent_count < 30:
            await asyncio.sleep(0)
        timestamps.append((await subscription.recv()).pts)
        subscription.stop()
        return timestamps

    first, second = run_coroutine(receive_two_frames())
    assert first < second == 30


class ScriptRuns:
    """A session with a fake count of script runs; `show` runs the Live page."""

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
def runs(monkeypatch: pytest.MonkeyPatch) -> ScriptRuns:
    return ScriptRuns(monkeypatch)


def test_a_video_continues_when_two_script_runs_end_at_once(runs: ScriptRuns) -> None:
    runs.show()._set_state(webrtc.WebRtcStreamerState(playing=True, signalling=False))
    runs.count += 2
    assert runs.show().state.playing


def test_a_video_ends_when_another_page_is_shown(runs: ScriptRuns) -> None:
    runs.show()._set_state(webrtc.WebRtcStreamerState(playing=True, signalling=False))
    stop_webrtc_player()
    runs.count += 1
    assert not runs.show().state.playing
    runs.count += 1
    runs.show()._set_state(webrtc.WebRtcStreamerState(playing=True, signalling=False))
    assert runs.show().state.playing, "the new video continues"


def test_stopping_without_a_player_changes_nothing(runs: ScriptRuns) -> None:
    stop_webrtc_player()
    assert _KEY not in st.session_state
