"""Analyze the frames of all viewers of Live with a few threads: bounded, fair, and with a queue at the door.

A viewer gets a `Seat`, or waits until one is free. A seat holds one frame: a newer one replaces it, so a slow machine
analyzes fewer frames and never falls behind. Threads take the seat that was served longest ago.

Everything here is thread-safe. Results are given to the seat's listener on a thread of the pool.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Protocol

from fer_core.errors import FerscopeError
from fer_core.faces import RgbImage
from fer_core.live.predictor import FaceLogits

_LOG = logging.getLogger(__name__)

THREAD_IDLE_S = 10.0
"""A thread ends after this long without a frame; the next frame starts another."""

WAITING_EXPIRES_S = 10.0
"""Who waits for a seat and does not ask again for so long has left."""


class FrameAnalyzer(Protocol):
    """Analyzes the frames of one video; see `live.predictor.LivePredictor`."""

    found: int
    times_ms: dict[str, float]

    def analyze(self, image: RgbImage, at_s: float, *, faces_max: int | None = None) -> list[FaceLogits]:
        """Analyze the next frame."""


class Frame(NamedTuple):
    """A frame that is decoded only if it is analyzed.

    Attributes:
        decode: returns the number of the frame and its pixels; uint8, shape (H, W, 3), RGB.
    """

    decode: Callable[[], tuple[int, RgbImage]]
    arrived_s: float


class Analysis(NamedTuple):
    """The faces of a frame, or why there are none.

    Attributes:
        number: of the frame; -1 if it could not be decoded.
        found: faces in view, also those that were not analyzed.
        size: width and height in pixels.
        times_ms: by `queue`, `detector` and `classifier`.
    """

    number: int
    faces: list[FaceLogits]
    found: int
    size: tuple[int, int]
    times_ms: dict[str, float]
    error: str = ""


@dataclass(slots=True, eq=False)
class Seat:
    """A viewer whose frames are analyzed. Guarded by the pool's lock, but for the analyzer, which one thread uses."""

    analyzer: FrameAnalyzer
    listener: Callable[[Analysis], None]
    faces_max: int | None = None
    frame: Frame | None = None
    is_busy: bool = False
    is_closed: bool = False


@dataclass(slots=True)
class Door:
    """What somebody who wants a seat is told: the seat, or how many have one and how many are to be served before."""

    seat: Seat | None
    n_live: int
    n_ahead: int


@dataclass(eq=False)
class LivePool:
    """Threads and seats shared by all viewers.

    Args:
        threads: that analyze.
        seats_max: viewers at once.
        on_work: called about once a second while frames are analyzed.
    """

    threads: int
    seats_max: int
    on_work: Callable[[], None] = lambda: None
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _seats: list[Seat] = field(default_factory=list)
    _due: deque[Seat] = field(default_factory=deque)
    _waiting: OrderedDict[str, float] = field(default_factory=OrderedDict)
    _n_threads: int = 0
    _n_idle: int = 0
    _worked_s: float = float("-inf")

    def ask(self, who: str, analyzer: FrameAnalyzer, listener: Callable[[Analysis], None]) -> Door:
        """Ask for a seat; who waits asks again every few seconds and keeps the place in the queue.

        Args:
            who: unique among those who wait.
            listener: gets every result of the seat; must return at once.
        """
        now_s = time.monotonic()
        with self._lock:
            for name in [name for name, at_s in self._waiting.items() if now_s - at_s > WAITING_EXPIRES_S]:
                del self._waiting[name]
            self._waiting[who] = now_s  # a known name keeps its place
            ahead = list(self._waiting).index(who)
            if len(self._seats) + ahead >= self.seats_max:
                return Door(None, len(self._seats), ahead)
            del self._waiting[who]
            seat = Seat(analyzer, listener)
            self._seats.append(seat)
            return Door(seat, len(self._seats), 0)

    def give_up(self, who: str) -> None:
        """Leave the queue."""
        with self._lock:
            self._waiting.pop(who, None)

    def submit(self, seat: Seat, decode: Callable[[], tuple[int, RgbImage]]) -> None:
        """Give a seat its newest frame."""
        with self._lock:
            if seat.is_closed:
                return
            is_due = seat.frame is not None
            seat.frame = Frame(decode, time.monotonic())
            if not is_due and not seat.is_busy:
                self._due.append(seat)
            if self._n_idle:
                self._lock.notify()
            elif self._n_threads < self.threads:
                self._n_threads += 1
                threading.Thread(target=self._work, name="live-analysis", daemon=True).start()

    def leave(self, seat: Seat) -> None:
        """Free a seat; a frame that is being analyzed is dropped."""
        with self._lock:
            seat.is_closed, seat.frame = True, None
            if seat in self._seats:
                self._seats.remove(seat)

    @property
    def n_live(self) -> int:
        """Viewers with a seat."""
        with self._lock:
            return len(self._seats)

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            seat, frame = taken
            analysis = _analyze(seat, frame)
            with self._lock:
                seat.is_busy = False
                if seat.frame is not None:
                    self._due.append(seat)
                is_heard = not seat.is_closed
                is_time = time.monotonic() - self._worked_s > 1
                if is_time:
                    self._worked_s = time.monotonic()
            try:
                if is_heard:
                    seat.listener(analysis)
                if is_time:
                    self.on_work()
            except Exception:  # noqa: BLE001  a listener of a page that has just closed must not end the thread
                _LOG.exception("A result of Live could not be delivered.")

    def _take(self) -> tuple[Seat, Frame] | None:
        """Wait for the next frame; None ends the thread."""
        with self._lock:
            while True:
                while self._due:
                    seat = self._due.popleft()
                    frame, seat.frame = seat.frame, None
                    if frame is not None:
                        seat.is_busy = True
                        return seat, frame
                self._n_idle += 1
                has_work = self._lock.wait_for(lambda: bool(self._due), THREAD_IDLE_S)
                self._n_idle -= 1
                if not has_work:
                    self._n_threads -= 1
                    return None


def _analyze(seat: Seat, frame: Frame) -> Analysis:
    number, queue_ms = -1, 1000 * (time.monotonic() - frame.arrived_s)
    try:
        number, image = frame.decode()
        faces = seat.analyzer.analyze(image, frame.arrived_s, faces_max=seat.faces_max)
    except FerscopeError as exc:
        return Analysis(number, [], 0, (0, 0), {}, str(exc))
    except Exception:  # noqa: BLE001  a thread boundary: the viewer is told, the others go on
        _LOG.exception("A frame of Live could not be analyzed.")
        return Analysis(number, [], 0, (0, 0), {}, "The frame could not be analyzed; the server's log says why.")
    times = {"queue": queue_ms, **seat.analyzer.times_ms}
    return Analysis(number, faces, seat.analyzer.found, (image.shape[1], image.shape[0]), times)


def to_json(analysis: Analysis) -> dict[str, Any]:
    """Convert to what the scripts of the page take (`Result` in `stage/browser_engine.js`)."""
    predictions = [
        {
            "box": dict(zip(("x", "y", "width", "height"), each.face.box.as_list(), strict=True)),
            "logits": [round(float(value), 4) for value in each.logits],
            "quality": asdict(each.quality),
        }
        for each in analysis.faces
    ]
    return {
        "number": analysis.number,
        "predictions": predictions,
        "found": analysis.found,
        "width": analysis.size[0],
        "height": analysis.size[1],
        "timesMs": analysis.times_ms,
        "error": analysis.error,
    }
