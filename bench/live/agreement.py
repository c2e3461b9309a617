"""Agreement of Live with predicting every face of every frame in two passes, FP32.

    python -m bench.live_agreement [--model default] [--precision FP32 INT8] [--json] [CLIP ...]

Both are smoothed over time as on the page. `matched`: faces that Live shows too; `same_expression`: the share of these
with the same expression; `difference`: mean total variation distance of the probabilities.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.support.frames import MEDIA
from bench.support.report import argument_parser, print_table
from bench.support.videos import clip_frames
from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import find_model
from fer_core.bundles.fastest import PRECISIONS
from fer_core.calibration import OperatingPoint
from fer_core.detection.detector import FaceDetector
from fer_core.detection.open_detector import open_detector
from fer_core.inference.predictor import Predictor
from fer_core.live.predictor import LivePredictor
from fer_core.live.smoothing import FaceTracker, TrackedFace, match_boxes
from fer_core.settings import settings

_CLIPS = ("woman_turning_640x360_20s.mp4", "stage_singer_640x360_9s.mp4")


def main() -> None:
    """Predict each clip both ways and print a row per clip, precision and operating point."""
    parser = argument_parser(__doc__)
    parser.add_argument("clips", nargs="*", type=Path, default=[MEDIA / name for name in _CLIPS])
    parser.add_argument("--model", default="default")
    parser.add_argument("--precision", nargs="+", choices=[*PRECISIONS.values()], default=[*PRECISIONS.values()])
    arguments = parser.parse_args()
    folder = find_model(arguments.model, settings()).folder
    detector = open_detector(settings()).detector
    files = [
        name for name, precision in PRECISIONS.items() if precision in arguments.precision and (folder / name).is_file()
    ]
    rows = [
        _row(clip, PRECISIONS[name], point, *_matched_faces(clip, folder, name, point, detector))
        for clip in arguments.clips
        for name in files
        for point in OperatingPoint
    ]
    print_table("Live against predicting every face of every frame", rows, as_json=arguments.json)


def _matched_faces(
    clip: Path, folder: Path, name: str, point: OperatingPoint, detector: FaceDetector
) -> Iterator[tuple[TrackedFace, TrackedFace | None]]:
    """Yield each face of each frame as fully predicted, and as shown by Live; None if Live does not show it."""
    full = Predictor(Bundle.open(folder), detector)
    live = LivePredictor(Predictor(Bundle.open(folder, model_file=name, flip_tta=False), detector))
    tracks = FaceTracker(), FaceTracker()
    for pixels, at_s in clip_frames(clip):
        expected = tracks[0].update(full.predict_faces(pixels, detector.detect(pixels), point=point), at_s)
        live_faces = tracks[1].update(live.predict(pixels, at_s, point=point), at_s)
        same = match_boxes([face.box for face in live_faces], [face.box for face in expected])
        yield from ((face, live_faces[same[index]] if index in same else None) for index, face in enumerate(expected))


def _row(
    clip: Path, precision: str, point: OperatingPoint, *pairs: tuple[TrackedFace, TrackedFace | None]
) -> dict[str, Any]:
    matched = [(expected, shown) for expected, shown in pairs if shown is not None]
    differences = [
        sum(abs(value - shown.probabilities[label]) for label, value in expected.probabilities.items()) / 2
        for expected, shown in matched
    ]
    return {
        "clip": clip.stem,
        "precision": precision,
        "point": point,
        "faces": len(pairs),
        "matched": len(matched),
        "same_expression": f"{np.mean([expected.label is shown.label for expected, shown in matched]):.1%}",
        "difference": round(statistics.mean(differences), 3),
    }


if __name__ == "__main__":
    main()
