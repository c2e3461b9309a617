"""How steady the answer of Live is: changes of what is shown, the delay of a true change, and how often it abstains.

    python -m bench.live_stability [--model default] [--point accurate] [--rate 15] [--json] [CLIP ...]

Every clip is predicted once, frame by frame, as Live does. The same predictions are then shown in three ways: raw (the
newest prediction), smoothed (over time only), and as on the page (smoothed, and held until another answer has clearly
led for a while). `changes a minute` counts how often the shown answer of a face changes, an expression or a doubt;
`answered` is the share of time with an expression. `delay` is the time until a sudden and lasting change from one
expression to another, each of a probability of 0.9, is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bench.support.frames import MEDIA
from bench.support.report import argument_parser, print_table
from bench.support.videos import clip_frames
from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import find_model
from fer_core.calibration import OperatingPoint
from fer_core.detection.open_detector import open_detector
from fer_core.faces import FaceBox
from fer_core.inference.predictor import FacePrediction, Predictor
from fer_core.labels import Expression
from fer_core.live.predictor import LivePredictor
from fer_core.live.smoothing import FaceTracker, TrackedFace
from fer_core.settings import settings

_CLIPS = ("woman_turning_640x360_20s.mp4", "stage_singer_640x360_9s.mp4")
_WAYS: dict[str, dict[str, float]] = {
    "raw": {"time_constant_s": 0, "lead_01": 0, "hold_s": 0},
    "smoothed": {"lead_01": 0, "hold_s": 0},
    "shown": {},
}
"""Arguments of `FaceTracker`."""

Frame = tuple[float, Sequence[FacePrediction]]


def main() -> None:
    """Predict each clip and print a row for each way of showing it."""
    parser = argument_parser(__doc__)
    parser.add_argument("clips", nargs="*", type=Path, default=[MEDIA / name for name in _CLIPS])
    parser.add_argument("--model", default="default")
    parser.add_argument("--point", choices=[*map(str, OperatingPoint)], default="accurate")
    parser.add_argument("--rate", type=float, default=15, help="analyzed frames per second")
    arguments = parser.parse_args()
    bundle = Bundle.open(find_model(arguments.model, settings()).folder)
    predictor = Predictor(bundle, open_detector(settings()).detector)
    point = OperatingPoint.parse(arguments.point)
    threshold = bundle.calibration.points[point].confidence_threshold
    rows = []
    for clip in arguments.clips:
        frames = list(_predict(clip, predictor, point, arguments.rate))
        rows += [_row(clip.stem, way, frames, threshold, arguments.rate) for way in _WAYS]
    print_table(f"Steadiness of Live at {arguments.rate:g} analyzed frames per second", rows, as_json=arguments.json)


def _predict(clip: Path, predictor: Predictor, point: OperatingPoint, rate: float) -> Iterator[Frame]:
    """Yield time and predictions of the frames that are analyzed."""
    live, next_s = LivePredictor(predictor), 0.0
    for image, at_s in clip_frames(clip):
        if at_s + 1e-6 >= next_s:
            next_s = max(next_s + 1 / rate, at_s)
            yield at_s, live.predict(image, at_s, point=point)


def _row(clip: str, way: str, frames: Sequence[Frame], threshold: float, rate: float) -> dict[str, Any]:
    tracker = FaceTracker(**_WAYS[way])
    answers: dict[int, list[str]] = {}
    for at_s, predictions in frames:
        for face in tracker.update(predictions, at_s, confidence_threshold=threshold):
            answers.setdefault(face.track_id, []).append(_answer(face))
    shown = [answer for of_track in answers.values() for answer in of_track]
    changes = sum(first != second for of_track in answers.values() for first, second in pairwise(of_track))
    minutes = len(shown) / rate / 60
    return {
        "clip": clip,
        "answer": way,
        "faces": len(answers),
        "changes a minute": f"{changes / minutes:.0f}" if shown else "–",
        "answered": f"{np.mean([not answer.startswith('?') for answer in shown]):.0%}" if shown else "–",
        "delay": f"{_delay_s(way, rate) * 1000:.0f} ms",
    }


def _answer(face: TrackedFace) -> str:
    return f"? {face.main_reason}" if face.uncertain else str(face.label)


def _delay_s(way: str, rate: float) -> float:
    """Time from a sudden change of the expression until it is shown."""
    tracker, box = FaceTracker(**_WAYS[way]), FaceBox(0, 0, 100, 100)
    for step in range(int(10 * rate)):
        label = Expression.NEUTRAL if step < 5 * rate else Expression.HAPPINESS
        rest = Expression.HAPPINESS if label is Expression.NEUTRAL else Expression.NEUTRAL
        prediction = FacePrediction(
            box, "", 1.0, label, 0.9, False, "", {label: 0.9, rest: 0.1}, np.zeros((8, 8, 3), np.uint8)
        )
        (face,) = tracker.update([prediction], step / rate)
        if face.label is Expression.HAPPINESS and not face.uncertain:
            return (step - int(np.ceil(5 * rate))) / rate
    return float("nan")


if __name__ == "__main__":
    main()
