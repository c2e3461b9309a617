"""Live on a video, against study A's loop and against predicting each frame as a photo.

What Live saves depends on the video. So a row also has whether the faces move, how many faces per frame were passed to
the network (mirror images included), and in which share of the frames the detector searched the whole frame.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.support.inference_methods import StudyAMethod, use_threads
from bench.support.videos import make_video
from fer_core.bundles.bundle import Bundle
from fer_core.bundles.fastest import FastestBundle
from fer_core.detection.detector import DetectedFace, FaceDetector
from fer_core.faces import RgbImage
from fer_core.inference.predictor import Predictor
from fer_core.live.predictor import LivePredictor

_SIZE = (1280, 720)
_SECONDS = 1.5

Frames = list[tuple[RgbImage, float]]


class _Counter:
    """Wraps a detector to count its searches of whole frames, or a bundle to count its faces."""

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
    """Build a row for each method and video: one face and eight, still and moving. The methods alternate by video."""
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
    frames = make_video(*_SIZE, faces, _SECONDS, moving=moving)
    study, photo = StudyAMethod(threads), Bundle.open(fastest.bundle.folder, threads=threads)
    full_searches, network_faces = _Counter(detector), _Counter(fastest.bundle)
    live: Any = Predictor(network_faces, full_searches)  # type: ignore[arg-type]
    methods: dict[str, Callable[[Frames], int]] = {
        study.name: lambda video: [study.time_frame(pixels).n_detected for pixels, _ in video][-1],
        "each frame as a photo, FP32": lambda video: _predict_frames(Predictor(photo, detector), detector, video),
        f"Live, {fastest.precision}": lambda video: _live(LivePredictor(live), video),
    }
    durations: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    found: dict[str, int] = {}
    for _ in range(rounds):
        for name, run in methods.items():
            started, cpu = time.perf_counter(), time.process_time()
            found[name] = run(frames)
            durations[name].append((time.perf_counter() - started, time.process_time() - cpu))
    counts = (network_faces.count / rounds / len(frames), full_searches.count / rounds / len(frames))
    return [
        _row(name, faces, moving, threads, len(frames), found[name], durations, study.name, counts) for name in methods
    ]


def _live(predictor: LivePredictor, frames: Frames) -> int:
    predictions = [predictor.predict(pixels, at_s) for pixels, at_s in frames]
    return len(predictions[-1])


def _predict_frames(predictor: Predictor, detector: FaceDetector, frames: Frames) -> int:
    predictions = [predictor.predict_faces(pixels, detector.detect(pixels)) for pixels, _ in frames]
    return len(predictions[-1])


def _row(
    name: str,
    faces: int,
    moving: bool,
    threads: int,
    frames: int,
    found: int,
    durations: dict[str, list[tuple[float, float]]],
    study: str,
    counts: tuple[float, float],
) -> dict[str, Any]:
    times, baseline = durations[name], durations[study]
    live = name.startswith("Live")

    def speedup(index: int) -> float:
        return round(statistics.median(b[index] / a[index] for a, b in zip(times, baseline, strict=True)), 1)

    return {
        "video": f"{_SIZE[0]}x{_SIZE[1]}, {'moving' if moving else 'still'}",
        "faces": faces,
        "method": name,
        "threads": threads,
        "detected": found,
        "ms_per_frame": round(1000 * statistics.median(wall_s for wall_s, _ in times) / frames, 2),
        "cpu_ms": round(1000 * statistics.median(cpu_s for _, cpu_s in times) / frames, 2),
        "speedup": speedup(0),
        "cpu_speedup": speedup(1),
        "network_faces_per_frame": round(counts[0], 2) if live else found,
        "full_searches_01": round(counts[1], 2) if live else 1.0,
    }
