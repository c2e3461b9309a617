"""Live video: frames arrive at the camera's rate, are analyzed at the model's, and are shown with the newest result.

Threads: the video's thread calls `submit` and `annotate` for every frame; the page's thread calls `snapshot`,
`set_predictor`, `start` and `stop`; a worker thread, `live-analysis`, runs the model. Shared state is guarded by one
lock, which is not held while analyzing or drawing. The slot between them holds one frame: a newer frame replaces one
that was not analyzed yet, so a slow model delays the result, not the video.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple, Protocol

from fer_core.calibration import OperatingPoint
from fer_core.errors import FerscopeError
from fer_core.faces import RgbImage
from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.labels import Expression
from fer_core.live.event_rate import EventRate
from fer_core.live.overlay import Color, draw_faces, flip_horizontally, to_shown_frame
from fer_core.live.predictor import LivePredictor
from fer_core.live.smoothing import FaceTracker, TrackedFace

_LOG = logging.getLogger(__name__)

STALE_AFTER_S = 1.0
"""An older result is not drawn, as the faces may have moved."""

IDLE_AFTER_S = 10.0
"""The worker thread ends after this long without a frame; the next frame starts another."""

STOP_WITHIN_S = 1.0
ERROR_SHOWN_S = 5.0
_LATENCIES = 30


class FramePredictor(Protocol):
    """Predicts the frames of a video; see `live.predictor.LivePredictor`."""

    def predict(self, image: RgbImage, at_s: float, *, point: OperatingPoint) -> Sequence[FacePrediction]:
        """Predict the faces of the next frame."""


class _Frame(NamedTuple):
    pixels: RgbImage
    at_s: float


class _Result(NamedTuple):
    faces: tuple[TrackedFace, ...]
    size: tuple[int, int]
    at_s: float


@dataclass(slots=True)
class _Stats:
    """Statistics since the start. Guarded by the processor's lock."""

    shown: EventRate = field(default_factory=EventRate)
    analyzed: EventRate = field(default_factory=EventRate)
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENCIES))
    result: _Result | None = None
    last_frame_s: float | None = None
    error: str = ""
    error_s: float = float("-inf")

    def fresh_result(self, now_s: float) -> _Result | None:
        """The newest result; None if it is stale."""
        return self.result if self.result and now_s - self.result.at_s <= STALE_AFTER_S else None

    def fresh_error(self, now_s: float) -> str:
        """The error of the last seconds; empty without one."""
        return self.error if now_s - self.error_s <= ERROR_SHOWN_S else ""


class _PredictorCache:
    """Cache of the worker's frame predictor, which tracks faces; replaced when the model changes."""

    def __init__(self, make: Callable[[Predictor], FramePredictor]) -> None:
        self._make = make
        self._made: tuple[object, object, FramePredictor] | None = None

    def get(self, predictor: Predictor) -> FramePredictor:
        """Return the frame predictor for this model and detector; a page creates a new `Predictor` on each run."""
        bundle, detector = predictor.bundle, predictor.detector
        if self._made is None or self._made[0] is not bundle or self._made[1] is not detector:
            self._made = bundle, detector, self._make(predictor)
        return self._made[2]


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """State of the live view.

    Attributes:
        latency_ms: median time from a frame's arrival to its result; None before the first.
        faces: of the newest result, the largest first; none if it is stale.
        error: message of the last seconds.
        last_frame_age_s: None before the first frame.
        result_age_s: age of the newest result, stale or not; None before the first.
    """

    frames_per_s: float
    predictions_per_s: float
    latency_ms: float | None
    faces: tuple[TrackedFace, ...]
    error: str
    last_frame_age_s: float | None
    result_age_s: float | None = None

    @property
    def is_late(self) -> bool:
        """Whether there is no result of the last second, so that it is unknown who is in view."""
        return self.result_age_s is None or self.result_age_s > STALE_AFTER_S


class LiveProcessor:
    """Analyzes a running video. All methods are thread-safe, and none waits for the model."""

    def __init__(
        self,
        predictor: Predictor,
        point: OperatingPoint = OperatingPoint.ACCURATE,
        *,
        colors: Mapping[Expression, Color],
        idle_after_s: float = IDLE_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
        frame_predictor: Callable[[Predictor], FramePredictor] = LivePredictor,
    ) -> None:
        """Create a stopped processor.

        Args:
            colors: of the expressions.
            idle_after_s: the worker thread ends after this long without a frame.
            clock: seconds, as `at_s` of `submit`.
            frame_predictor: builds the frame predictor.
        """
        self._condition = threading.Condition()
        self._predictor = (predictor, point)
        self._make_frame_predictor = frame_predictor
        self._colors = dict(colors)
        self._idle_after_s = idle_after_s
        self._clock = clock
        self._tracks = FaceTracker()
        self._running = False
        self._worker: threading.Thread | None = None
        self._slot: _Frame | None = None
        self._stats = _Stats()

    def start(self) -> None:
        """Start with empty tracks and statistics; does nothing while it runs."""
        with self._condition:
            if not self._running:
                self._running = True
                self._tracks = FaceTracker()
                self._stats = _Stats()

    def stop(self) -> None:
        """Stop and end the worker thread; waits a second at most."""
        with self._condition:
            worker, self._worker = self._worker, None
            self._running, self._slot = False, None
            self._condition.notify_all()
        if worker is not None and worker is not threading.current_thread():
            # The analysis of a frame can't be interrupted; `_publish` drops its result.
            worker.join(STOP_WITHIN_S)

    def set_predictor(self, predictor: Predictor, point: OperatingPoint) -> None:
        """Change model and operating point from the next frame on."""
        with self._condition:
            self._predictor = (predictor, point)

    def submit(self, frame: RgbImage, at_s: float) -> None:
        """Submit a frame for analysis; replaces a waiting one.

        Args:
            frame: uint8, shape (H, W, 3), RGB; must not be changed afterwards.
            at_s: arrival time by the processor's clock.
        """
        with self._condition:
            self._stats.last_frame_s = at_s
            if not self._running:
                return
            self._slot = _Frame(frame, at_s)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="live-analysis", daemon=True)
                self._worker.start()
            self._condition.notify_all()

    def annotate(self, frame: RgbImage) -> RgbImage:
        """Flip a frame like a mirror and draw the newest result on it, unless that is stale.

        Args:
            frame: uint8, shape (H, W, 3), RGB; not changed.
        """
        now_s = self._clock()
        with self._condition:
            self._stats.shown.add(now_s)
            result = self._stats.fresh_result(now_s)
        shown = flip_horizontally(frame)
        if result is not None:
            size = (frame.shape[1], frame.shape[0])
            boxes = [to_shown_frame(face.box, result.size, size) for face in result.faces]
            draw_faces(shown, boxes, result.faces, self._colors)
        return shown

    def snapshot(self) -> LiveStatus:
        """Return the current state."""
        now_s = self._clock()
        with self._condition:
            stats = self._stats
            result = stats.fresh_result(now_s)
            return LiveStatus(
                frames_per_s=stats.shown.per_s(now_s),
                predictions_per_s=stats.analyzed.per_s(now_s),
                latency_ms=1000 * median(stats.latencies_s) if stats.latencies_s else None,
                faces=result.faces if result else (),
                error=stats.fresh_error(now_s),
                last_frame_age_s=None if stats.last_frame_s is None else now_s - stats.last_frame_s,
                result_age_s=None if stats.result is None else now_s - stats.result.at_s,
            )

    def report_error(self, error: Exception) -> None:
        """Store an error for `snapshot` and log it with its traceback, only once while it repeats."""
        message = str(error) if isinstance(error, FerscopeError) else f"A frame could not be analyzed: {error!r}."
        now_s = self._clock()
        with self._condition:
            repeated = message == self._stats.fresh_error(now_s)
            self._stats.error, self._stats.error_s = message, now_s
        if not repeated:
            _LOG.error("The live view failed on a frame", exc_info=error)

    def _work(self) -> None:
        """Analyze the newest frame, in the worker thread, until stopped or idle."""
        tracks, cache = self._tracks, _PredictorCache(self._make_frame_predictor)
        while (frame := self._next_frame()) is not None:
            try:
                self._analyze(frame, tracks, cache)
            except Exception as exc:  # noqa: BLE001  thread boundary: logged and shown; the next frame follows
                self.report_error(exc)

    def _next_frame(self) -> _Frame | None:
        """Wait for a frame; None if this worker has to end."""
        this = threading.current_thread()
        with self._condition:
            arrived = self._condition.wait_for(
                lambda: self._slot is not None or self._worker is not this, timeout=self._idle_after_s
            )
            if self._worker is not this:
                return None
            if not arrived:
                # Under the lock, so that the next frame starts a new worker.
                self._worker = None
                return None
            frame, self._slot = self._slot, None
            return frame

    def _analyze(self, frame: _Frame, tracks: FaceTracker, cache: _PredictorCache) -> None:
        with self._condition:
            predictor, point = self._predictor
        predictions = cache.get(predictor).predict(frame.pixels, frame.at_s, point=point)
        confidence_threshold = predictor.bundle.calibration.points[point].confidence_threshold
        faces = tracks.update(predictions, frame.at_s, confidence_threshold=confidence_threshold)
        self._publish(_Result(faces, (frame.pixels.shape[1], frame.pixels.shape[0]), frame.at_s))

    def _publish(self, result: _Result) -> None:
        now_s = self._clock()
        with self._condition:
            if self._worker is threading.current_thread():
                self._stats.result = result
                self._stats.analyzed.add(now_s)
                self._stats.latencies_s.append(now_s - result.at_s)
