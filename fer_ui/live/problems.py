"""Why there is no video, in words, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """What is wrong, and what to do."""

    title: str
    remedy: str


PROBLEMS = {
    "denied": Problem(
        "The camera is not allowed",
        "The browser does not allow this page to use the camera. Click the camera or lock icon next to the address, "
        "allow the camera and press Start again. Check the system's privacy settings too.",
    ),
    "missing": Problem(
        "There is no camera",
        "No camera was found. Connect one or switch it on. Or share a window, play a video file, or upload photos "
        "under Predict.",
    ),
    "busy": Problem(
        "The camera is in use",
        "The camera can't be opened: close other programs and tabs that use it, and press Start again.",
    ),
    "insecure": Problem(
        "The address is not secure",
        "The browser blocks the camera on insecure addresses. Open FERscope as http://localhost on the machine that "
        "runs it, or serve it over https. Until then, play a video file or take a photo.",
    ),
    "unplugged": Problem(
        "The camera has stopped",
        "It was unplugged, switched off, or taken by another program. Connect it and press Start.",
    ),
    "no_screen": Problem(
        "This browser can't share the screen",
        "Phones and some browsers can't share a screen or window. Use the camera or a video file.",
    ),
    "screen_denied": Problem(
        "Nothing was shared", "Press Start and choose a screen or a window in the browser's list."
    ),
    "screen_ended": Problem("Sharing has ended", "Press Start to share a screen or window again."),
    "no_file": Problem("Choose a video", "Choose a video file of this device; it is not uploaded."),
    "unreadable_file": Problem(
        "The video can't be played",
        "This browser can't play the file. Convert it to MP4 (H.264) or WebM, and choose it again.",
    ),
    "blocked": Problem(
        "The connection is blocked",
        "The video can't reach the server. Within a network, UDP must be allowed between browser and server; over the "
        "internet a TURN server is needed: set FERSCOPE_ICE_SERVERS and restart FERscope. Or choose “Private: in your "
        "browser”, which needs no connection.",
    ),
    "turn_refused": Problem(
        "The TURN server refused the connection",
        "The user name, password or secret of FERSCOPE_ICE_SERVERS is wrong. Correct it and restart FERscope. If you "
        "press Start, pictures are sent until then, or the model runs in your browser.",
    ),
    "turn_unreachable": Problem(
        "The TURN server does not answer",
        "Check that it runs, and its address in FERSCOPE_ICE_SERVERS. Video still connects within a network. If it "
        "does not, the model runs in your browser.",
    ),
    "lost": Problem(
        "The connection to the server was lost",
        "The server was stopped or the network is gone. Check both and press Start again.",
    ),
    "analysis_failed": Problem("The server could not analyze the video", "Press Start again, or choose another model."),
    "engine_failed": Problem(
        "The model does not run in this browser",
        "Choose “On the server”, or try a current version of Chrome, Edge, Firefox or Safari.",
    ),
}

SITUATIONS = ("denied", "missing", "busy", "insecure", "blocked")
"""Problems that are explained on the page before they happen."""
