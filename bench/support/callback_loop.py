"""A page as most webcam demos are built: the cascade and the network in the callback, which draws on the frame.

`bench.live` runs it with `streamlit run` for comparison.
"""

from __future__ import annotations

import av
import cv2
import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from bench.support.inference_methods import StudyAMethod


@st.cache_resource
def study() -> StudyAMethod:
    """The cascade on the whole frame, then the network face by face."""
    return StudyAMethod(threads=2)


def main() -> None:
    """Show the player."""
    method = study()

    def callback(frame: av.VideoFrame) -> av.VideoFrame:
        pixels = frame.to_ndarray(format="rgb24")
        found = method.time_frame(pixels).n_detected
        cv2.putText(pixels, f"{found} faces", (20, 200), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 255, 0), 2)
        return av.VideoFrame.from_ndarray(pixels, format="rgb24")

    webrtc_streamer(
        key="loop",
        mode=WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": []},
        media_stream_constraints={"video": {"width": 4096, "height": 2160}, "audio": False},
        video_frame_callback=callback,
    )


main()
