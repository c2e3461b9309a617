"""The websocket of Live: it brings results to the page, and frames to the server where there is no WebRTC.

The page connects to `/live-socket/TOKEN`, where the token is that of its Streamlit session and can't be guessed. The
server answers with JSON: `{"waiting": {"live", "ahead"}}` until there is a seat, then `{"admitted": true}`, then an
analysis for each frame (`pool.to_json`). The page sends `{"faces_max": 4}`, and frames as a number (uint32, little
endian) followed by a JPEG.

Threads: the endpoint runs on the server's event loop, analyses on the threads of the pool, frames of WebRTC come on
streamlit-webrtc's event loop.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import weakref
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import streamlit as st
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from fer_core.errors import UnreadableImageError
from fer_core.faces import RgbImage
from fer_core.inference.predictor import Predictor
from fer_core.jobs.throttling import request_throttling
from fer_core.live.frame_number import read_frame_number
from fer_core.live.pool import Analysis, LivePool, Seat, to_json
from fer_core.live.predictor import LivePredictor
from fer_core.settings import settings
from fer_core.system.processor import usable_cores

if TYPE_CHECKING:
    from av import VideoFrame

PREFIX = "live-socket"
_KEY = "live-session"
_SEATS_PER_CORE = 2
_ASK_EVERY_S = 1.0
_UNKNOWN = 4404
_NUMBER_BYTES = 4
_RESULTS_MAX = 4
"""Results that wait for a slow connection; older ones are dropped."""


class LiveSession:
    """What a Streamlit session and its websocket share. Frames may come from any thread."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)
        self.predictor: Predictor | None = None
        self.seat: Seat | None = None
        _SESSIONS[self.token] = self

    def submit_video_frame(self, frame: VideoFrame) -> None:
        """Take a frame of WebRTC; it is decoded only if it is analyzed."""

        def decode() -> tuple[int, RgbImage]:
            pixels: Any = frame.to_ndarray(format="rgb24")
            return read_frame_number(pixels)

        self._submit(decode)

    def submit_message(self, message: bytes) -> None:
        """Take a frame of the websocket."""
        self._submit(lambda: decode_message(message))

    def _submit(self, decode: Callable[[], tuple[int, RgbImage]]) -> None:
        if (seat := self.seat) is not None:
            live_pool().submit(seat, decode)


_SESSIONS: weakref.WeakValueDictionary[str, LiveSession] = weakref.WeakValueDictionary()
"""By token. A session ends with its Streamlit session and its websocket."""


def live_session() -> LiveSession:
    """Get the live session of this Streamlit session."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = LiveSession()
    session: LiveSession = st.session_state[_KEY]
    return session


@lru_cache(maxsize=1)
def live_pool() -> LivePool:
    """The threads and seats of this server."""
    cores = usable_cores()
    seats = settings().live_viewers or _SEATS_PER_CORE * cores
    return LivePool(max(1, cores - 1), seats, on_work=lambda: request_throttling(settings()))


def decode_message(message: bytes) -> tuple[int, RgbImage]:
    """Decode a frame of the websocket into its number and its pixels.

    Raises:
        UnreadableImageError: it is not a number and a JPEG.
    """
    pixels = cv2.imdecode(np.frombuffer(message[_NUMBER_BYTES:] or b"\0", np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise UnreadableImageError(f"A frame of {len(message)} bytes is not a JPEG.")
    number = int.from_bytes(message[:_NUMBER_BYTES], "little")
    return number, np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


async def serve_live(socket: WebSocket) -> None:
    """Serve a page from its connection to its end."""
    session = _SESSIONS.get(socket.path_params["token"])
    await socket.accept()
    if session is None or session.predictor is None:
        await socket.close(_UNKNOWN, "Reload the page.")
    else:
        await _Connection(socket, session, session.predictor).serve()


def live_socket_route(path: str) -> WebSocketRoute:
    """The route of the endpoint, below a path."""
    return WebSocketRoute(f"{path}/{{token}}", serve_live)


class _Connection:
    """A page that is connected."""

    def __init__(self, socket: WebSocket, session: LiveSession, predictor: Predictor) -> None:
        self._socket, self._session = socket, session
        self._analyzer = LivePredictor(predictor)
        self._loop = asyncio.get_running_loop()
        self._results: deque[Analysis] = deque(maxlen=_RESULTS_MAX)
        self._has_results = asyncio.Event()
        self._seat: Seat | None = None
        self._faces_max: int | None = None

    async def serve(self) -> None:
        answering = asyncio.create_task(self._answer())
        # It fails first where a result can't be sent any more, and nobody asks for that error.
        answering.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            await self._receive()
        finally:
            answering.cancel()  # no await from here on: this task may be cancelled, too, and must free the seat
            live_pool().give_up(self._session.token)
            if self._seat is not None:
                live_pool().leave(self._seat)
                if self._session.seat is self._seat:
                    self._session.seat = None

    async def _answer(self) -> None:
        """Wait for a seat, then send results."""
        if self._session.seat is not None:  # of this page's last connection, whose end was not noticed yet
            live_pool().leave(self._session.seat)
        while self._seat is None:
            door = live_pool().ask(self._session.token, self._analyzer, self._listen)
            if door.seat is None:
                waiting = {"live": door.n_live, "ahead": door.n_ahead}
                await self._socket.send_text(json.dumps({"waiting": waiting}))
                await asyncio.sleep(_ASK_EVERY_S)
            else:
                door.seat.faces_max = self._faces_max
                self._seat = self._session.seat = door.seat
                await self._socket.send_text(json.dumps({"admitted": True}))
        while True:
            await self._has_results.wait()
            self._has_results.clear()
            while self._results:
                await self._socket.send_text(json.dumps(to_json(self._results.popleft())))

    def _listen(self, analysis: Analysis) -> None:
        """Take a result on a thread of the pool."""
        self._loop.call_soon_threadsafe(self._add, analysis)

    def _add(self, analysis: Analysis) -> None:
        self._results.append(analysis)
        self._has_results.set()

    async def _receive(self) -> None:
        """Take the page's messages until it is gone."""
        while True:
            try:
                message = await self._socket.receive()
            except (WebSocketDisconnect, RuntimeError):
                return
            if message["type"] == "websocket.disconnect":
                return
            if content := message.get("bytes"):
                self._session.submit_message(content)
            elif text := message.get("text"):
                self._take_choices(text)

    def _take_choices(self, text: str) -> None:
        try:
            faces_max = int(json.loads(text)["faces_max"])
        except (ValueError, TypeError, KeyError):
            return  # not from our page
        self._faces_max = max(1, faces_max)
        if self._seat is not None:
            self._seat.faces_max = self._faces_max
