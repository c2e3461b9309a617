"""From a frame to its readings: ours against study A's loop, our network by PyTorch against ONNX Runtime, in 32 bits
and in 8 where the model has them, and Live on a running video.

    python -m bench.inference [--model default] [--rounds 15] [--threads 1 2] [--json]

The sides take turns on the same frames. A row's ratio is the median of the ratios of its rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.support.frames import frame, has_photographs
from bench.support.inference_methods import Contestant, Ours, StudyA, Turn, bits, use_threads
from bench.support.live_methods import live_rows
from bench.support.table import show
from fer_core.bundles.bundle import INT8_FILE, MODEL_FILE, Bundle
from fer_core.bundles.catalog import find_model
from fer_core.bundles.fastest import open_fastest
from fer_core.detection.detector import open_detector
from fer_core.faces import RgbImage
from fer_core.settings import settings
from fer_core.system.processor import processor
from fer_core.training.network import load_trained_network

_SIZES = ((640, 360), (1280, 720), (1920, 1080))
_FACES = (1, 8)
_ENGINE_RUNS = 10


def main() -> None:
    """Run the sides in turn, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default")
    parser.add_argument("--rounds", type=int, default=15, help="how often each side reads each frame")
    parser.add_argument("--video-rounds", type=int, default=3, help="how often each side reads each video")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, min(2, os.cpu_count() or 1)}))
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    asked = parser.parse_args()
    folder = find_model(asked.model, settings()).folder
    networks = [folder / name for name in (MODEL_FILE, INT8_FILE) if (folder / name).is_file()]
    opened = open_detector(settings())
    threads: list[int] = asked.threads
    # One of each a number of threads, as an ONNX Runtime session can't change its own.
    sides: list[Contestant] = [
        side
        for count in threads
        for side in (StudyA(count), *(Ours.open(path, opened.detector, count) for path in networks))
    ]
    rows = [
        row for width, height in _SIZES for faces in _FACES for row in _rows(sides, width, height, faces, asked.rounds)
    ]
    engines = [row for faces in _FACES for row in _engine_rows(networks, threads, faces, asked.rounds)]
    live = {count: open_fastest(folder, threads=count) for count in threads}
    videos = [
        row for count, fastest in live.items() for row in live_rows(fastest, opened.detector, count, asked.video_rounds)
    ]
    here = {
        "processor": processor().name,
        "instruction_sets": list(processor().instruction_sets),
        "live_form": {count: f"{fastest.form}: {fastest.reason}" for count, fastest in live.items()},
    }
    if asked.json:
        print(json.dumps([*rows, *engines, *videos, here]))
        return
    print(f"{processor()}, threads: {', '.join(map(str, threads))}\n")
    people = "photographs" if has_photographs() else "DRAWN faces, as there are no photographs: find them yourself"
    show(f"A frame of {people}, {asked.rounds} rounds. {opened.message}", rows)
    show("\nThe network alone, ready faces", engines)
    forms = "; ".join(f"{count} threads {fastest.form}, {fastest.reason}" for count, fastest in live.items())
    show(f"\nA running video. Live reads without flip TTA, by the form that is faster here ({forms})", videos)


def _rows(sides: Sequence[Contestant], width: int, height: int, faces: int, rounds: int) -> list[dict[str, Any]]:
    """A row a side; study A's loop with as many threads is what each is held against."""
    picture = frame(width, height, faces)
    turns: list[list[Turn]] = [[] for _ in sides]
    for _ in range(rounds + 1):
        for side, mine in zip(sides, turns, strict=True):
            mine.append(_turn(side, picture))
    turns = [mine[1:] for mine in turns]  # the first warms up
    theirs = {side.threads: mine for side, mine in zip(sides, turns, strict=True) if isinstance(side, StudyA)}
    return [
        _row(side, f"{width}x{height}", faces, mine, theirs[side.threads])
        for side, mine in zip(sides, turns, strict=True)
    ]


def _turn(side: Contestant, picture: RgbImage) -> Turn:
    use_threads(side.threads)
    return side.turn(picture)


def _row(side: Contestant, size: str, faces: int, mine: list[Turn], theirs: list[Turn]) -> dict[str, Any]:
    all_s = statistics.median(turn.all_s for turn in mine)
    found = mine[-1].found
    return {
        "frame": size,
        "faces": faces,
        "side": side.name,
        "threads": side.threads,
        "found": found,
        "detect_ms": _ms(turn.detect_s for turn in mine),
        "crop_ms": _ms(turn.crop_s for turn in mine),
        "classify_ms": _ms(turn.classify_s for turn in mine),
        "all_ms": round(1000 * all_s, 2),
        "ms_a_face": round(1000 * all_s / found, 2) if found else "",
        "frames_per_s": round(1 / all_s, 1),
        "times_study_a": round(statistics.median(b.all_s / a.all_s for a, b in zip(mine, theirs, strict=True)), 1),
        "cpu_ms": _ms(turn.cpu_s for turn in mine),
        "times_by_cpu": round(statistics.median(b.cpu_s / a.cpu_s for a, b in zip(mine, theirs, strict=True)), 1),
    }


def _engine_rows(networks: Sequence[Path], threads: Sequence[int], faces: int, rounds: int) -> list[dict[str, Any]]:
    """Milliseconds for a batch of ready faces, by engine and threads."""
    folder = networks[0].parent
    contract = Bundle.open(folder, threads=1).contract
    shape = (faces, contract.channels, contract.size_px, contract.size_px)
    batch = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    network = load_trained_network(folder)
    tensor = torch.from_numpy(batch)

    def by_torch() -> object:
        with torch.inference_mode():
            return network(tensor)

    def by_onnx(bundle: Bundle) -> Callable[[], object]:
        return lambda: bundle.logits(batch)

    runs: dict[tuple[str, int], Callable[[], object]] = {}
    for count in threads:
        runs["PyTorch", count] = by_torch
        for path in networks:
            bundle = Bundle.open(folder, threads=count, model_file=path.name)
            runs[f"ONNX Runtime, {bits(path)}", count] = by_onnx(bundle)
    seconds: dict[tuple[str, int], list[float]] = {key: [] for key in runs}
    for _ in range(rounds + 1):
        for (engine, count), run in runs.items():
            use_threads(count)
            seconds[engine, count].append(_seconds(run))
    rows = []
    for (engine, count), values in seconds.items():
        others = seconds["PyTorch", count]
        rows.append(
            {
                "engine": engine,
                "threads": count,
                "faces": faces,
                "classify_ms": _ms(values[1:]),
                "ms_a_face": round(1000 * statistics.median(values[1:]) / faces, 3),
                "times_pytorch": round(
                    statistics.median(b / a for a, b in zip(values[1:], others[1:], strict=True)), 2
                ),
            }
        )
    return rows


def _seconds(run: Callable[[], object]) -> float:
    """Of one call, by a few of them in a row: single ones are too short for the clock's noise."""
    started = time.perf_counter()
    for _ in range(_ENGINE_RUNS):
        run()
    return (time.perf_counter() - started) / _ENGINE_RUNS


def _ms(seconds: Iterable[float]) -> float:
    return round(1000 * statistics.median(seconds), 2)


if __name__ == "__main__":
    main()
