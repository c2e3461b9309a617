"""The live view on a page: the video's state and the figures beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.calibration import OperatingPoint
from fer_core.inference.predictor import Predictor
from fer_core.jobs.throttling import request_throttling
from fer_core.labels import Expression
from fer_core.live.ice import parse_ice_servers
from fer_core.live.processor import LiveProcessor, LiveStatus
from fer_core.settings import settings
from fer_ui.formatting import count
from fer_ui.header import Headline, NoticeKind, headline, notice
from fer_ui.live.camera_help import show_camera_words
from fer_ui.live.probability_bars import empty_html, face_html
from fer_ui.live.streamer import NOT_CONNECTED, show_streamer
from fer_ui.theme import COLORS, rgb

_SESSION_KEY = "live-session"

_SLOW_AFTER_S = 10.0
_GAVE_UP_AFTER_S = 4.0
"""A person who presses STOP while it connects does so sooner, or knows why."""

_FROZEN_AFTER_S = 3.0
_NONE = "\N{EN DASH}"


@dataclass
class LiveSession:
    """What a visitor's live view keeps between runs of the page."""

    processor: LiveProcessor
    connecting_since_s: float | None = None
    connection_failed: bool = False

    def follow(self, *, playing: bool, connecting: bool, now_s: float) -> None:
        """Take note of the streamer's state; the browser doesn't say why a connection ended before any video."""
        if playing or connecting:
            self.processor.start()
            self.connection_failed = False
        else:
            self.processor.stop()
            if self.connecting_for_s(now_s) > _GAVE_UP_AFTER_S:
                self.connection_failed = True
        self.connecting_since_s = (self.connecting_since_s or now_s) if connecting and not playing else None

    def connecting_for_s(self, now_s: float) -> float:
        """Seconds since the connection was asked for, 0 if it was not or is there."""
        return 0.0 if self.connecting_since_s is None else now_s - self.connecting_since_s


def live_session(predictor: Predictor, point: OperatingPoint) -> LiveSession:
    """This visitor's live view, from now on with this model at this operating point; a running video goes on."""
    session = st.session_state.get(_SESSION_KEY)
    if session is None:
        colors = {expression: rgb(color) for expression, color in COLORS.items()}
        session = st.session_state[_SESSION_KEY] = LiveSession(LiveProcessor(predictor, point, colors=colors))
    session.processor.set_predictor(predictor, point)
    return session


@dataclass(frozen=True)
class Video:
    """The player as the page drew it: whether it plays, or is about to, and where its trouble is told."""

    playing: bool
    running: bool
    trouble: DeltaGenerator


def show_video(session: LiveSession) -> Video:
    """Show the video with its buttons; `show_status` says what keeps it from starting.

    Raises:
        SettingsError: FERSCOPE_ICE_SERVERS can't be used.
    """
    servers = parse_ice_servers(settings().ice_servers)
    context = show_streamer(session.processor, servers)
    playing, connecting = bool(context.state.playing), bool(context.state.signaling)
    session.follow(playing=playing, connecting=connecting, now_s=time.monotonic())
    with st.container(gap=None):
        show_camera_words()
        return Video(playing, playing or connecting, st.empty())


def show_status(session: LiveSession, predictor: Predictor, point: OperatingPoint, video: Video | None) -> None:
    """Show the large numbers, how the largest face is read, and trouble; renewed once a second while the video runs.

    It is one fragment for all of it, as every rerun takes the interpreter from the video.
    """
    confidence_threshold = predictor.bundle.calibration.points[point].confidence_threshold or None
    labels = predictor.bundle.contract.labels
    every = "1s" if video is not None and video.running else None
    st.fragment(run_every=every)(_show_status)(session, labels, confidence_threshold, video)


def _show_status(
    session: LiveSession, labels: Sequence[Expression], confidence_threshold: float | None, video: Video | None
) -> None:
    running = video is not None and video.running
    if running:
        request_throttling(settings())
    status = session.processor.snapshot()
    if video is not None:
        _show_trouble(video, _trouble(session, status, video.playing, time.monotonic()))
    headline(_headlines(status, running))
    if running and status.faces:
        st.html(face_html(status.faces[0], confidence_threshold))
    elif running:
        st.html(empty_html(labels, "No face in view", "Turn your face to the camera."))
    else:
        st.html(empty_html(labels, "Nothing read yet", "Press START to begin."))


def _show_trouble(video: Video, trouble: Sequence[tuple[NoticeKind, str]]) -> None:
    if not trouble:
        video.trouble.empty()
        return
    with video.trouble.container():
        for kind, words in trouble:
            notice(kind, words)


def _trouble(session: LiveSession, status: LiveStatus, playing: bool, now_s: float) -> list[tuple[NoticeKind, str]]:
    """What is wrong with the connection or the readings, if anything is."""
    trouble: list[tuple[NoticeKind, str]] = []
    if session.connection_failed or session.connecting_for_s(now_s) > _SLOW_AFTER_S:
        trouble.append(("error", NOT_CONNECTED))
    if status.error:
        trouble.append(("error", status.error))
    age_s = status.last_frame_age_s
    if playing and age_s is not None and age_s > _FROZEN_AFTER_S:
        words = f"No picture has come from the camera for {age_s:.0f} seconds. Press STOP, then START."
        trouble.append(("warning", words))
    return trouble


def _headlines(status: LiveStatus, running: bool) -> list[Headline]:
    seen = running and status.frames_per_s > 0
    several = "the chart shows the largest" if len(status.faces) > 1 else "in view"
    delay = _NONE if status.latency_ms is None else f"{status.latency_ms:.0f} ms"
    return [
        Headline("Frames a second", f"{status.frames_per_s:.0f}" if seen else _NONE, "shown"),
        Headline("Readings a second", f"{status.predictions_per_s:.0f}" if seen else _NONE, "by the model"),
        Headline("Delay", delay if seen else _NONE, "from frame to reading"),
        Headline("Faces", count(len(status.faces)) if seen else _NONE, several),
    ]
