"""The WebRTC video player and its frame callback: the only module that uses streamlit-webrtc."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from fer_core.errors import FerscopeError
from fer_ui.live.camera_help import PROBLEMS

if TYPE_CHECKING:
    from aiortc.contrib.media import MediaRelay
    from av import VideoFrame

    from fer_core.live.processor import LiveProcessor

_KEY = "live-streamer"
_NEVER = -2
_OPTIONS: dict[str, Any] = {
    "media_stream_constraints": {"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}, "audio": False},
    "video_html_attrs": {
        "autoPlay": True,
        "controls": False,
        "muted": True,
        "playsInline": True,
        "style": {"width": "100%", "aspectRatio": "4 / 3", "background": "#10151b", "borderRadius": "0.375rem"},
    },
    "translations": {
        "select_device": "Choose camera",
        "media_api_not_available": PROBLEMS["insecure"].title,
        "device_ask_permission": "Allow this page to use the camera.",
        "device_not_available": "No camera, or another program is using it.",
        "device_access_denied": PROBLEMS["denied"].title,
    },
    "async_processing": True,
    "sendback_audio": False,
}


def show_webrtc_player(processor: LiveProcessor, servers: list[dict[str, Any]]) -> Any:
    """Show the player and return streamlit-webrtc's context, whose `state` says whether it plays.

    Raises:
        FerscopeError: the connection can't be made.
    """
    # Imported late, after the page's title is shown: it loads a video library.
    from streamlit_webrtc import WebRtcMode, webrtc_streamer
    from streamlit_webrtc.relay import get_global_relay
    from streamlit_webrtc.webrtc import SignallingTimeoutError

    try:
        relay_newest_frames(get_global_relay())
        _keep_playing()
        return webrtc_streamer(
            key=_KEY,
            mode=WebRtcMode.SENDRECV,
            rtc_configuration={"iceServers": servers},
            video_frame_callback=make_frame_callback(processor),
            **_OPTIONS,
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


def relay_newest_frames(relay: MediaRelay) -> None:
    """Make the server's relay keep only the newest frame of each camera.

    By default it buffers every frame: on a machine that encodes more slowly than the camera, the video falls behind
    without limit and takes 10 MB of memory or more for each second.
    """
    relay.subscribe = partial(type(relay).subscribe, relay, buffered=False)  # type: ignore[method-assign]


def make_frame_callback(processor: LiveProcessor) -> Callable[[VideoFrame], VideoFrame]:
    """Build the callback that processes each frame.

    It runs in streamlit-webrtc's video thread and makes no Streamlit call; it shares only the thread-safe
    `LiveProcessor` with the page.
    """
    from av import VideoFrame

    def annotate(frame: VideoFrame) -> VideoFrame:
        try:
            pixels: Any = frame.to_ndarray(format="rgb24")
            processor.submit(pixels, time.monotonic())
            return VideoFrame.from_ndarray(processor.annotate(pixels), format="rgb24")
        except Exception as exc:  # noqa: BLE001  an exception here would freeze the video silently
            processor.report_error(exc)
            return frame

    return annotate
