"""The live view on a page: the video and the numbers and probabilities beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.calibration import OperatingPoint
from fer_core.inference.predictor import Predictor
from fer_core.jobs.throttling import request_throttling
from fer_core.labels import Expression
from fer_core.live.ice import parse_ice_servers
from fer_core.live.processor import LiveProcessor, LiveStatus
from fer_core.settings import settings
from fer_ui.formatting import NO_VALUE, format_count
from fer_ui.frame.header import Headline, NoticeKind, headline, notice
from fer_ui.live.camera_help import PROBLEMS, show_camera_help
from fer_ui.live.probability_bars import empty_html, face_html
from fer_ui.live.webrtc import show_webrtc_player
from fer_ui.theme import COLORS, rgb

_SESSION_KEY = "live-session"

_SLOW_AFTER_S = 10.0
_FAILED_AFTER_S = 4.0
"""A connection that ends before any video counts as failed after this long; sooner, it was STOP."""

_FROZEN_AFTER_S = 3.0


@dataclass
class LiveSession:
    """State of a session's live view between script runs."""

    processor: LiveProcessor
    connecting_since_s: float | None = None
    connection_failed: bool = False

    def update(self, *, playing: bool, connecting: bool, now_s: float) -> None:
        """Start or stop the processor and detect failed connections, which the browser does not report."""
        if playing or connecting:
            self.processor.start()
            self.connection_failed = False
        else:
            self.processor.stop()
            if self.connecting_for_s(now_s) > _FAILED_AFTER_S:
                self.connection_failed = True
        self.connecting_since_s = (self.connecting_since_s or now_s) if connecting and not playing else None

    def connecting_for_s(self, now_s: float) -> float:
        """Get the seconds since the connection started; 0 if there is none or it is established."""
        return 0.0 if self.connecting_since_s is None else now_s - self.connecting_since_s


def get_live_session(predictor: Predictor, point: OperatingPoint) -> LiveSession:
    """Get the session's live view and set its model and operating point; a running video goes on."""
    session = st.session_state.get(_SESSION_KEY)
    if session is None:
        colors = {expression: rgb(color) for expression, color in COLORS.items()}
        session = st.session_state[_SESSION_KEY] = LiveSession(LiveProcessor(predictor, point, colors=colors))
    session.processor.set_predictor(predictor, point)
    return session


class Player(NamedTuple):
    """The video player on the page; `running` is playing or connecting, `notices` a placeholder for problems."""

    playing: bool
    running: bool
    notices: DeltaGenerator


def show_video(session: LiveSession) -> Player:
    """Show the video with its buttons; `show_status` shows connection problems.

    Raises:
        SettingsError: FERSCOPE_ICE_SERVERS can't be used.
    """
    servers = parse_ice_servers(settings().ice_servers)
    context = show_webrtc_player(session.processor, servers)
    playing, connecting = bool(context.state.playing), bool(context.state.signalling)
    session.update(playing=playing, connecting=connecting, now_s=time.monotonic())
    with st.container(gap=None):
        show_camera_help()
        return Player(playing, playing or connecting, st.empty())


def show_status(session: LiveSession, predictor: Predictor, point: OperatingPoint, player: Player | None) -> None:
    """Show probabilities of the largest face, speed and problems, updated every second while the video runs.

    One fragment for all of it, as every rerun takes the interpreter from the video.
    """
    confidence_threshold = predictor.bundle.calibration.points[point].confidence_threshold or None
    labels = predictor.bundle.contract.labels
    every = "1s" if player is not None and player.running else None
    st.fragment(run_every=every)(_show_status)(session, labels, confidence_threshold, player)


def _show_status(
    session: LiveSession, labels: Sequence[Expression], confidence_threshold: float | None, player: Player | None
) -> None:
    running = player is not None and player.running
    if running:
        request_throttling(settings())
    status = session.processor.snapshot()
    if player is not None:
        _show_problems(player, _find_problems(session, status, player.playing, time.monotonic()))
    if running and status.faces:
        st.html(face_html(status.faces[0], confidence_threshold, len(status.faces)))
    elif running:
        st.html(empty_html(labels, *describe_absence(status)))
    else:
        st.html(empty_html(labels, "No prediction yet", "Press START to begin."))
    with st.expander("Speed"):
        headline(_headlines(status, running))


def describe_absence(status: LiveStatus) -> tuple[str, str]:
    """Say why no face is shown: none is in view, or the machine is behind; title and subtitle."""
    if status.result_age_s is None:
        return "Starting", "The first prediction comes in a moment."
    if status.is_late:
        return "The machine is behind", f"The last prediction is {status.result_age_s:.0f} seconds old."
    return "No face in view", "Turn your face to the camera."


def _show_problems(player: Player, problems: Sequence[tuple[NoticeKind, str]]) -> None:
    if not problems:
        player.notices.empty()
        return
    with player.notices.container():
        for kind, text in problems:
            notice(kind, text)


def _find_problems(
    session: LiveSession, status: LiveStatus, playing: bool, now_s: float
) -> list[tuple[NoticeKind, str]]:
    """Find problems with the connection or the predictions."""
    problems: list[tuple[NoticeKind, str]] = []
    if session.connection_failed or session.connecting_for_s(now_s) > _SLOW_AFTER_S:
        problems.append(("error", PROBLEMS["blocked"].remedy))
    if status.error:
        problems.append(("error", status.error))
    age_s = status.last_frame_age_s
    if playing and age_s is not None and age_s > _FROZEN_AFTER_S:
        text = f"No frame has come from the camera for {age_s:.0f} seconds. Press STOP, then START."
        problems.append(("warning", text))
    return problems


def _headlines(status: LiveStatus, running: bool) -> list[Headline]:
    active = running and status.frames_per_s > 0
    delay = NO_VALUE if status.latency_ms is None else f"{status.latency_ms:.0f} ms"
    return [
        Headline("Frames per second", f"{status.frames_per_s:.0f}" if active else NO_VALUE, "shown"),
        Headline("Predictions per second", f"{status.predictions_per_s:.0f}" if active else NO_VALUE, "by the model"),
        Headline("Delay", delay if active else NO_VALUE, "from frame to prediction"),
        Headline("Faces", format_count(len(status.faces)) if active else NO_VALUE, "in view"),
    ]
