"""Live's path through a running video, against study A's loop and against reading each frame as a photograph.

What Live saves depends on what the video shows, so a row says whether its faces move, how many faces the network was
shown a frame (mirror images included) and in which share of the frames the detector searched all of it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.support.inference_methods import StudyAMethod, use_threads
from bench.support.videos import video
from fer_core.bundles.bundle import Bundle
from fer_core.bundles.fastest import FastestBundle
from fer_core.detection.detector import DetectedFace, FaceDetector
from fer_core.faces import RgbImage
from fer_core.inference.predictor import Predictor
from fer_core.live.predictor import LivePredictor

_SIZE = (1280, 720)
_SECONDS = 1.5

Frames = list[tuple[RgbImage, float]]


class _Counted:
    """A detector or a model that counts: the frames that the one searched whole, the faces that the other was shown."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def detect(self, image: RgbImage) -> list[DetectedFace]:
        """See `FaceDetector.detect`."""
        self.count += image.shape[:2] == _SIZE[::-1]
        return list(self._inner.detect(image))

    def logits(self, faces: NDArray[np.float32]) -> Any:
        """See `Bundle.logits`."""
        self.count += len(faces)
        return self._inner.logits(faces)


def live_rows(fastest: FastestBundle, detector: FaceDetector, threads: int, rounds: int) -> list[dict[str, Any]]:
    """A row a side for a video with one face and with eight, still and moving. The sides take turns, a video a turn."""
    use_threads(threads)
    return [
        row
        for faces in (1, 8)
        for moving in (False, True)
        for row in _rows(fastest, detector, threads, rounds, faces, moving)
    ]


def _rows(
    fastest: FastestBundle, detector: FaceDetector, threads: int, rounds: int, faces: int, moving: bool
) -> list[dict[str, Any]]:
    frames = video(*_SIZE, faces, _SECONDS, moving=moving)
    study, photo = StudyAMethod(threads), Bundle.open(fastest.bundle.folder, threads=threads)
    searched, shown = _Counted(detector), _Counted(fastest.bundle)
    live: Any = Predictor(shown, searched)  # type: ignore[arg-type]
    methods: dict[str, Callable[[Frames], int]] = {
        study.name: lambda each: [study.time_frame(pixels).found for pixels, _ in each][-1],
        "each frame as a photograph, FP32": lambda each: _each_frame(Predictor(photo, detector), detector, each),
        f"Live, {fastest.precision}": lambda each: _live(LivePredictor(live), each),
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    found: dict[str, int] = {}
    for _ in range(rounds):
        for name, run in methods.items():
            started, cpu = time.perf_counter(), time.process_time()
            found[name] = run(frames)
            took[name].append((time.perf_counter() - started, time.process_time() - cpu))
    counts = (shown.count / rounds / len(frames), searched.count / rounds / len(frames))
    return [_row(name, faces, moving, threads, len(frames), found[name], took, study.name, counts) for name in methods]


def _live(reader: LivePredictor, frames: Frames) -> int:
    predictions = [reader.predict(pixels, at_s) for pixels, at_s in frames]
    return len(predictions[-1])


def _each_frame(predictor: Predictor, detector: FaceDetector, frames: Frames) -> int:
    predictions = [predictor.predict_faces(pixels, detector.detect(pixels)) for pixels, _ in frames]
    return len(predictions[-1])


def _row(
    name: str,
    faces: int,
    moving: bool,
    threads: int,
    frames: int,
    found: int,
    took: dict[str, list[tuple[float, float]]],
    study: str,
    counts: tuple[float, float],
) -> dict[str, Any]:
    mine, theirs = took[name], took[study]
    live = name.startswith("Live")

    def times(which: int) -> float:
        return round(statistics.median(b[which] / a[which] for a, b in zip(mine, theirs, strict=True)), 1)

    return {
        "video": f"{_SIZE[0]}x{_SIZE[1]}, {'moving' if moving else 'still'}",
        "faces": faces,
        "side": name,
        "threads": threads,
        "found": found,
        "ms_a_frame": round(1000 * statistics.median(each[0] for each in mine) / frames, 2),
        "cpu_ms": round(1000 * statistics.median(each[1] for each in mine) / frames, 2),
        "times_study_a": times(0),
        "times_by_cpu": times(1),
        "shown_a_frame": round(counts[0], 2) if live else found,
        "searched_01": round(counts[1], 2) if live else 1.0,
    }
