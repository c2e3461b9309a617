"""The player of the live view: streamlit-webrtc, whose only home this is.

`_on_frame` runs in streamlit-webrtc's video thread and makes no Streamlit call; it meets the page only in the
`LiveProcessor`, which is thread-safe.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from fer_core.errors import FerscopeError

if TYPE_CHECKING:
    from aiortc.contrib.media import MediaRelay
    from av import VideoFrame

    from fer_core.live.processor import LiveProcessor

_KEY = "live-streamer"
_NEVER = -2

NOT_CONNECTED = (
    "The video can't get through to the server. On one machine or in one network it needs UDP between the two; over "
    "the internet it needs a TURN server: set FERSCOPE_ICE_SERVERS, restart FERscope, and press STOP and START."
)

_VIDEO_STYLE = {"width": "100%", "aspectRatio": "4 / 3", "background": "#10151b", "borderRadius": "0.375rem"}
_OPTIONS: dict[str, Any] = {
    "media_stream_constraints": {"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}, "audio": False},
    "video_html_attrs": {
        "autoPlay": True,
        "controls": False,
        "muted": True,
        "playsInline": True,
        "style": _VIDEO_STYLE,
    },
    "translations": {
        "select_device": "Choose camera",
        "media_api_not_available": "This address is not secure, so the browser gives no camera to it.",
        "device_ask_permission": "Allow this page to use the camera.",
        "device_not_available": "The camera is missing, or another program is using it.",
        "device_access_denied": "The browser does not allow this page to use the camera.",
    },
    "async_processing": True,
    "sendback_audio": False,
}


def show_streamer(processor: LiveProcessor, servers: list[dict[str, Any]]) -> Any:
    """Show the player; streamlit-webrtc's context, whose `state` says whether it plays.

    Raises:
        FerscopeError: the connection can't be made.
    """
    # Imported here, below the page's title: it brings its own video library.
    from streamlit_webrtc import WebRtcMode, webrtc_streamer
    from streamlit_webrtc.relay import get_global_relay
    from streamlit_webrtc.webrtc import SignallingTimeoutError

    try:
        relay_newest_frames(get_global_relay())
        _keep_streamer()
        return webrtc_streamer(
            key=_KEY,
            mode=WebRtcMode.SENDRECV,
            rtc_configuration={"iceServers": servers},
            video_frame_callback=_on_frame(processor),
            **_OPTIONS,
        )
    except SignallingTimeoutError as exc:
        raise FerscopeError(NOT_CONNECTED) from exc


def leave_streamer() -> None:
    """Note that another page is shown: the player that comes with the next visit is a new one, which doesn't play."""
    if _KEY in st.session_state:
        st.session_state[_KEY]._last_rendered_run_count = _NEVER


def _keep_streamer() -> None:
    """Have the player taken for the same as before, unless another page was shown since.

    streamlit-webrtc takes it for a new one, and stops the video, if a run of the session was without it. But the runs
    that it counts are those whose end the browser was told, which comes late on a busy server: then the ends of two
    runs follow one another, and a video stopped because somebody moved a switch. The shell knows which page is shown.
    """
    context = st.session_state.get(_KEY)
    if context is not None and context._last_rendered_run_count != _NEVER:
        context._last_rendered_run_count = None


def relay_newest_frames(relay: MediaRelay) -> None:
    """Let a server's relay keep the newest frame of each camera alone.

    Otherwise it keeps every frame until it was sent back: where the machine can't encode as many as the camera gives,
    the picture falls behind without limit, and each second of that takes 10 MB or more.
    """
    relay.subscribe = partial(type(relay).subscribe, relay, buffered=False)  # type: ignore[method-assign]


def _on_frame(processor: LiveProcessor) -> Callable[[VideoFrame], VideoFrame]:
    """What is done with each frame, in streamlit-webrtc's video thread."""
    from av import VideoFrame

    def show(frame: VideoFrame) -> VideoFrame:
        try:
            pixels: Any = frame.to_ndarray(format="rgb24")
            processor.submit(pixels, time.monotonic())
            return VideoFrame.from_ndarray(processor.annotate(pixels), format="rgb24")
        except Exception as exc:  # noqa: BLE001  an exception here would freeze the video without a word
            processor.report_error(exc)
            return frame

    return show
