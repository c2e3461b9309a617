"""Inference speed: a frame to its predictions against study A's loop, the network in PyTorch and ONNX Runtime (FP32 and
INT8), and Live on a video.

    python -m bench.inference [--model default] [--rounds 15] [--threads 1 2] [--json]

The methods alternate on the same frames. A row's speedup is the median over the rounds.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.support.frames import frame, has_photos
from bench.support.inference_methods import FerscopeMethod, Method, StudyAMethod, Timing, precision_name, use_threads
from bench.support.live_methods import live_rows
from bench.support.report import argument_parser, print_table
from fer_core.bundles.bundle import INT8_FILE, MODEL_FILE, Bundle
from fer_core.bundles.catalog import find_model
from fer_core.bundles.fastest import open_fastest
from fer_core.detection.open_detector import open_detector
from fer_core.faces import RgbImage
from fer_core.settings import settings
from fer_core.system.processor import processor
from fer_core.training.network import load_trained_network

_SIZES = ((640, 360), (1280, 720), (1920, 1080))
_FACES = (1, 8)
_ENGINE_RUNS = 10


def main() -> None:
    """Run the methods alternately and print the tables."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default="default")
    parser.add_argument("--rounds", type=int, default=15, help="how often each method predicts each frame")
    parser.add_argument("--video-rounds", type=int, default=3, help="how often each method predicts each video")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, min(2, os.cpu_count() or 1)}))
    arguments = parser.parse_args()
    folder = find_model(arguments.model, settings()).folder
    networks = [folder / name for name in (MODEL_FILE, INT8_FILE) if (folder / name).is_file()]
    opened = open_detector(settings())
    threads: list[int] = arguments.threads
    # Separate methods for each number of threads, as an ONNX Runtime session can't change it.
    methods: list[Method] = [
        method
        for count in threads
        for method in (StudyAMethod(count), *(FerscopeMethod.open(path, opened.detector, count) for path in networks))
    ]
    rows = [
        row
        for width, height in _SIZES
        for faces in _FACES
        for row in _rows(methods, width, height, faces, arguments.rounds)
    ]
    engines = [row for faces in _FACES for row in _engine_rows(networks, threads, faces, arguments.rounds)]
    live = {count: open_fastest(folder, threads=count) for count in threads}
    videos = [
        row
        for count, fastest in live.items()
        for row in live_rows(fastest, opened.detector, count, arguments.video_rounds)
    ]
    environment = {
        "processor": processor().name,
        "instruction_sets": list(processor().instruction_sets),
        "live_precision": {count: f"{fastest.precision}: {fastest.reason}" for count, fastest in live.items()},
    }
    if arguments.json:
        print(json.dumps([*rows, *engines, *videos, environment]))
        return
    print(f"{processor()}, threads: {', '.join(map(str, threads))}\n")
    content = "photos" if has_photos() else "synthetic faces, as there are no photos"
    print_table(f"Frames of {content}, {arguments.rounds} rounds. {opened.warning}", rows, as_json=arguments.json)
    print_table("\nThe network only, on face crops", engines, as_json=arguments.json)
    choices = "; ".join(f"{count} threads {fastest.precision}, {fastest.reason}" for count, fastest in live.items())
    print_table(
        f"\nA video. Live predicts without flip TTA, with the faster network on this processor ({choices})",
        videos,
        as_json=arguments.json,
    )


def _rows(methods: Sequence[Method], width: int, height: int, faces: int, rounds: int) -> list[dict[str, Any]]:
    """Build a row for each method; speedups are over study A's loop with as many threads."""
    image = frame(width, height, faces)
    timings: list[list[Timing]] = [[] for _ in methods]
    for _ in range(rounds + 1):
        for method, times in zip(methods, timings, strict=True):
            times.append(_measure(method, image))
    timings = [times[1:] for times in timings]  # the first round is the warm-up
    pairs = list(zip(methods, timings, strict=True))
    study_a = {method.threads: times for method, times in pairs if isinstance(method, StudyAMethod)}
    return [_row(method, f"{width}x{height}", faces, times, study_a[method.threads]) for method, times in pairs]


def _measure(method: Method, image: RgbImage) -> Timing:
    use_threads(method.threads)
    return method.time_frame(image)


def _row(method: Method, size: str, faces: int, times: list[Timing], baseline: list[Timing]) -> dict[str, Any]:
    total_s = statistics.median(timing.total_s for timing in times)
    n_detected = times[-1].n_detected
    return {
        "frame": size,
        "faces": faces,
        "method": method.name,
        "threads": method.threads,
        "detected": n_detected,
        "detect_ms": _ms(timing.detect_s for timing in times),
        "crop_ms": _ms(timing.crop_s for timing in times),
        "classify_ms": _ms(timing.classify_s for timing in times),
        "total_ms": round(1000 * total_s, 2),
        "ms_per_face": round(1000 * total_s / n_detected, 2) if n_detected else "",
        "frames_per_s": round(1 / total_s, 1),
        "speedup": round(statistics.median(b.total_s / a.total_s for a, b in zip(times, baseline, strict=True)), 1),
        "cpu_ms": _ms(timing.cpu_s for timing in times),
        "cpu_speedup": round(statistics.median(b.cpu_s / a.cpu_s for a, b in zip(times, baseline, strict=True)), 1),
    }


def _engine_rows(networks: Sequence[Path], threads: Sequence[int], faces: int, rounds: int) -> list[dict[str, Any]]:
    """Time a batch of face crops with each engine and number of threads."""
    folder = networks[0].parent
    contract = Bundle.open(folder, threads=1).contract
    shape = (faces, contract.channels, contract.size_px, contract.size_px)
    batch = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    network = load_trained_network(folder)
    tensor = torch.from_numpy(batch)

    def run_torch() -> object:
        with torch.inference_mode():
            return network(tensor)

    def run_onnx(bundle: Bundle) -> Callable[[], object]:
        return lambda: bundle.logits(batch)

    runs: dict[tuple[str, int], Callable[[], object]] = {}
    for count in threads:
        runs["PyTorch", count] = run_torch
        for path in networks:
            bundle = Bundle.open(folder, threads=count, model_file=path.name)
            runs[f"ONNX Runtime, {precision_name(path)}", count] = run_onnx(bundle)
    seconds: dict[tuple[str, int], list[float]] = {key: [] for key in runs}
    for _ in range(rounds + 1):
        for (engine, count), run in runs.items():
            use_threads(count)
            seconds[engine, count].append(_seconds(run))
    rows = []
    for (engine, count), values in seconds.items():
        baseline = seconds["PyTorch", count]
        rows.append(
            {
                "engine": engine,
                "threads": count,
                "faces": faces,
                "classify_ms": _ms(values[1:]),
                "ms_per_face": round(1000 * statistics.median(values[1:]) / faces, 3),
                "speedup": round(statistics.median(b / a for a, b in zip(values[1:], baseline[1:], strict=True)), 2),
            }
        )
    return rows


def _seconds(run: Callable[[], object]) -> float:
    """Time one call as the mean of several, as one is too short for the clock."""
    started = time.perf_counter()
    for _ in range(_ENGINE_RUNS):
        run()
    return (time.perf_counter() - started) / _ENGINE_RUNS


def _ms(seconds: Iterable[float]) -> float:
    return round(1000 * statistics.median(seconds), 2)


if __name__ == "__main__":
    main()
