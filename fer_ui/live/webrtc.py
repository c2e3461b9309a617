"""The WebRTC connection that brings a viewer's video to the server: the only module that uses streamlit-webrtc.

Its own player stays out of sight. The stage shows the picture that the browser already has, and gives streamlit-webrtc
that picture as its "camera" (`web/stage/webrtc_video.js`); nothing is sent back but the results.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from fer_core.errors import FerscopeError
from fer_ui.live.live_socket import LiveSession
from fer_ui.live.problems import PROBLEMS

_KEY = "live-streamer"
_NEVER = -2


def connect_video(session: LiveSession, servers: list[dict[str, Any]], *, playing: bool) -> None:
    """Connect or end the video, as the stage asks for it.

    Raises:
        FerscopeError: the connection can't be made.
    """
    # Imported late, after the stage is shown: it loads a video library.
    from streamlit_webrtc import WebRtcMode, create_video_sink_track, webrtc_streamer
    from streamlit_webrtc.webrtc import SignallingTimeoutError

    try:
        _keep_playing()
        webrtc_streamer(
            key=_KEY,
            mode=WebRtcMode.SENDONLY,
            rtc_configuration={"iceServers": servers},
            media_stream_constraints={"video": True, "audio": False},
            desired_playing_state=playing,
            sink_video_track=create_video_sink_track(session.submit_video_frame, key=_KEY),
            sendback_audio=False,
        )
    except SignallingTimeoutError as exc:
        raise FerscopeError(PROBLEMS["blocked"].remedy) from exc


def stop_webrtc_player() -> None:
    """Record that another page is shown, so that the player of the next visit is a new one that doesn't play."""
    if _KEY in st.session_state:
        st.session_state[_KEY]._last_rendered_run_count = _NEVER


def _keep_playing() -> None:
    """Keep the video playing unless another page was shown.

    streamlit-webrtc stops the video if a script run was without the player. It counts the runs whose end the browser
    has received, which come late on a busy server, so that a video would stop when a widget changes.
    """
    context = st.session_state.get(_KEY)
    if context is not None and context._last_rendered_run_count != _NEVER:
        context._last_rendered_run_count = None
