"""The face path: predictions of detected faces against predictions of the ready crops.

    python -m bench.face_path [--model default] [--data ferplus] [--split valid] [--faces 0] [--in-use] [--json]

Crops of a dataset are pasted into larger pictures, upright and rolled by up to 25 degrees, with two surrounds; YuNet
and Haar detect them. Differences are in percentage points on the same faces, with 95 % bootstrap intervals. The crop
method is chosen on `valid`; `--in-use` compares only the current one, as for `test`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.support.crop_methods import CURRENT, CropMethod, crop_methods
from bench.support.dataset_rows import split_rows
from bench.support.face_scenes import SURROUNDS, Scene, scene
from bench.support.report import add_model_and_split, argument_parser, print_table
from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import find_model
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.index.images import get_face_refs, iter_images
from fer_core.detection.detector import DetectedFace, FaceDetector
from fer_core.detection.haar import HaarDetector
from fer_core.detection.open_detector import open_detector
from fer_core.settings import settings

ROLL_MAX_DEG = 25.0
FOUND_OVERLAP_01 = 0.4
"""How much a found frame must overlap with the truth (intersection over union) to count as found: the framing of the
datasets varies by a sixth itself."""

_RESAMPLES = 500
_ROLLS = ("upright", "leaning")
Key = tuple[str, str, str]
"""Leaning, detector, way to cut."""


@dataclass
class Predictions:
    """What was read by one way to cut: of which face (its row), and the probabilities."""

    faces: list[int] = field(default_factory=list)
    rows: list[NDArray[np.float32]] = field(default_factory=list)


def main() -> None:
    """Read every face in every way, print a row a way."""
    parser = argument_parser(__doc__)
    add_model_and_split(parser, faces=0)
    parser.add_argument("--in-use", action="store_true", help="only the crop method that is in use")
    arguments = parser.parse_args()
    bundle = Bundle.open(find_model(arguments.model, settings()).folder)
    dataset = open_dataset(arguments.data, settings())
    rows = split_rows(dataset, arguments.split, [str(label) for label in bundle.contract.labels])
    rows = rows.sample(arguments.faces, random_state=0) if arguments.faces else rows
    opened = open_detector(settings())
    detectors: list[FaceDetector] = [opened.detector]
    if opened.detector.name != "haar":
        detectors.append(HaarDetector())
    truth, ready, predictions, n_scenes = _predict(dataset, rows, bundle, detectors, in_use_alone=arguments.in_use)
    table = [_row(key, found, truth, ready, n_scenes[key[0]]) for key, found in predictions.items()]
    print_table(
        f"{len(truth):,} faces of {arguments.data}, {arguments.split}, by {bundle.id}. {opened.warning}",
        table,
        as_json=arguments.json,
    )


def _predict(
    dataset: StoredDataset, rows: pd.DataFrame, bundle: Bundle, detectors: list[FaceDetector], *, in_use_alone: bool
) -> tuple[NDArray[np.int64], NDArray[np.float32], dict[Key, Predictions], dict[str, int]]:
    """Truth and reading of each ready crop, the readings of the found ones by `Key`, and how many scenes there were."""
    indices = {str(label): place for place, label in enumerate(bundle.contract.labels)}
    truth = np.asarray(rows["label"].astype("str").map(indices), np.int64)
    ready: NDArray[np.float32] = np.zeros((len(rows), len(indices)), np.float32)
    predictions: dict[Key, Predictions] = {}
    n_scenes = dict.fromkeys(_ROLLS, 0)
    methods = {name: _methods(bundle, name, in_use_alone) for name in (detector.name for detector in detectors)}
    with dataset.source(settings()) as source:
        for number, crop in enumerate(iter_images(source, get_face_refs(rows))):
            assert crop is not None
            ready[number] = bundle.probabilities(bundle.contract.apply(crop)[None])[0]
            rng = np.random.default_rng(number)
            for roll in _ROLLS:
                for surround in SURROUNDS:
                    roll_deg = float(rng.uniform(-ROLL_MAX_DEG, ROLL_MAX_DEG)) if roll == "leaning" else 0.0
                    seen = scene(crop, surround, roll_deg, rng)
                    n_scenes[roll] += 1
                    for detector in detectors:
                        face = _matching_face(detector.detect(seen.picture), seen)
                        if face is not None:
                            _predict_face(predictions, (roll, detector.name), number, seen, face, methods, bundle)
    return truth, ready, predictions, n_scenes


def _methods(bundle: Bundle, detector: str, in_use_alone: bool) -> dict[str, CropMethod]:
    every = crop_methods(bundle.contract.crop_margin_01, landmarks=detector == "yunet")
    return {CURRENT: every[CURRENT]} if in_use_alone else every


def _matching_face(faces: list[DetectedFace], seen: Scene) -> DetectedFace | None:
    """The face that lies where the crop does."""
    return max(
        (face for face in faces if _overlap_01(face, seen) >= FOUND_OVERLAP_01),
        key=lambda face: face.score_01,
        default=None,
    )


def _overlap_01(face: DetectedFace, seen: Scene) -> float:
    """Intersection over union of the face's frame and the truth, both upright."""
    frame, truth = face.aligned_crop, seen.truth
    half = frame.side_px / 2
    across = min(frame.x + half, truth.x + truth.width) - max(frame.x - half, truth.x)
    down = min(frame.y + half, truth.y + truth.height) - max(frame.y - half, truth.y)
    shared = max(across, 0.0) * max(down, 0.0)
    return shared / (frame.side_px**2 + truth.width * truth.height - shared)


def _predict_face(
    predictions: dict[Key, Predictions],
    where: tuple[str, str],
    number: int,
    seen: Scene,
    face: DetectedFace,
    methods: dict[str, dict[str, CropMethod]],
    bundle: Bundle,
) -> None:
    """Read one found face in every way, in one batch."""
    crops = {name: cut(seen.picture, face) for name, cut in methods[where[1]].items()}
    batch = bundle.contract.apply_batch([crop for several in crops.values() for crop in several])
    probabilities = bundle.probabilities(batch)
    first = 0
    for name, several in crops.items():
        kept = predictions.setdefault((*where, name), Predictions())
        kept.faces.append(number)
        kept.rows.append(probabilities[first : first + len(several)].mean(axis=0))
        first += len(several)


def _row(
    key: Key, found: Predictions, truth: NDArray[np.int64], ready: NDArray[np.float32], n_scenes: int
) -> dict[str, Any]:
    faces, rows = np.array(found.faces), np.array(found.rows)
    true, before, after = truth[faces], ready[faces].argmax(1), rows.argmax(1)
    classes = ready.shape[1]
    alone = _metrics(true, before, None, classes)
    differences = _metrics(true, after, None, classes) - alone
    rng = np.random.default_rng(0)
    samples = np.zeros((_RESAMPLES, len(differences)))
    for sample in samples:
        weights = rng.multinomial(len(truth), np.full(len(truth), 1 / len(truth)))[faces].astype(float)
        sample[:] = _metrics(true, after, weights, classes) - _metrics(true, before, weights, classes)
    low, high = np.percentile(samples, [2.5, 97.5], axis=0)
    row: dict[str, Any] = dict(zip(("leaning", "detector", "cut"), key, strict=True))
    row |= {"found": f"{100 * len(faces) / n_scenes:.1f}", "ready_accuracy": f"{alone[0]:.1f}"}
    for place, name in enumerate(("accuracy", "macro_f1", "balanced")):
        row[name] = f"{differences[place]:+.2f} ({low[place]:+.1f} to {high[place]:+.1f})"
    row["log_loss"] = f"{_log_loss(rows, true) - _log_loss(ready[faces], true):+.4f}"
    return row


def _metrics(
    true: NDArray[np.int64], read: NDArray[np.int64], weights: NDArray[np.float64] | None, classes: int
) -> NDArray[np.float64]:
    """Accuracy, macro-F1 and balanced accuracy in percent, of the classes that occur."""
    table = np.bincount(true * classes + read, weights, classes * classes).reshape(classes, classes).astype(float)
    hits, support, answers = np.diagonal(table), table.sum(1), table.sum(0)
    present = support > 0
    f1 = 2 * hits[present] / (support + answers)[present]
    return 100 * np.array([hits.sum() / support.sum(), f1.mean(), (hits[present] / support[present]).mean()])


def _log_loss(rows: NDArray[np.float32], true: NDArray[np.int64]) -> float:
    return float(-np.log(np.maximum(rows[np.arange(len(true)), true], 1e-9)).mean())


if __name__ == "__main__":
    main()
