"""Face detection and alignment: predictions for detected faces against predictions for the dataset's crops.

    python -m bench.face_crops [--model default] [--data ferplus] [--split valid] [--faces 0] [--current-only] [--json]

Crops of a dataset are pasted into larger scenes, upright and rolled by up to 25 degrees, with two surrounds; YuNet and
Haar detect them. Differences are in percentage points on the same faces, with 95 % bootstrap intervals. The crop method
is chosen on `valid`; `--current-only` measures the current method alone, as for `test`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.support.crop_methods import CURRENT, CropMethod, crop_methods
from bench.support.dataset_rows import split_rows
from bench.support.face_scenes import SURROUNDS, Scene, make_scene
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
IOU_MIN = 0.4
"""Minimum overlap of a detected face with the truth. The crops of the datasets vary in size by a sixth themselves."""

_RESAMPLES = 500
_POSES = ("upright", "rolled")
Key = tuple[str, str, str]
"""Pose, detector and crop method."""


@dataclass
class Predictions:
    """Predictions with one crop method: rows of the faces, and their probabilities."""

    faces: list[int] = field(default_factory=list)
    rows: list[NDArray[np.float32]] = field(default_factory=list)


def main() -> None:
    """Predict every face with every crop method and print a row for each."""
    parser = argument_parser(__doc__)
    add_model_and_split(parser, faces=0)
    parser.add_argument("--current-only", action="store_true", help="measure the current crop method only")
    arguments = parser.parse_args()
    bundle = Bundle.open(find_model(arguments.model, settings()).folder)
    dataset = open_dataset(arguments.data, settings())
    rows = split_rows(dataset, arguments.split, [str(label) for label in bundle.contract.labels])
    rows = rows.sample(arguments.faces, random_state=0) if arguments.faces else rows
    opened = open_detector(settings())
    detectors: list[FaceDetector] = [opened.detector]
    if opened.detector.name != "haar":
        detectors.append(HaarDetector())
    truth, reference, predictions, n_scenes = _predict(
        dataset, rows, bundle, detectors, current_only=arguments.current_only
    )
    table = [_row(key, found, truth, reference, n_scenes[key[0]]) for key, found in predictions.items()]
    print_table(
        f"{len(truth):,} faces of {arguments.data}, {arguments.split}, by {bundle.id}. {opened.warning}",
        table,
        as_json=arguments.json,
    )


def _predict(
    dataset: StoredDataset, rows: pd.DataFrame, bundle: Bundle, detectors: list[FaceDetector], *, current_only: bool
) -> tuple[NDArray[np.int64], NDArray[np.float32], dict[Key, Predictions], dict[str, int]]:
    """Return true classes, probabilities of the dataset crops, predictions for detected faces, and scenes by pose."""
    indices = {str(label): index for index, label in enumerate(bundle.contract.labels)}
    truth = np.asarray(rows["label"].astype("str").map(indices), np.int64)
    reference: NDArray[np.float32] = np.zeros((len(rows), len(indices)), np.float32)
    predictions: dict[Key, Predictions] = {}
    n_scenes = dict.fromkeys(_POSES, 0)
    methods = {name: _methods(bundle, name, current_only) for name in (detector.name for detector in detectors)}
    with dataset.source(settings()) as source:
        for number, crop in enumerate(iter_images(source, get_face_refs(rows))):
            assert crop is not None
            reference[number] = bundle.probabilities(bundle.contract.apply(crop)[None])[0]
            rng = np.random.default_rng(number)
            for pose in _POSES:
                for surround in SURROUNDS:
                    roll_deg = float(rng.uniform(-ROLL_MAX_DEG, ROLL_MAX_DEG)) if pose == "rolled" else 0.0
                    scene = make_scene(crop, surround, roll_deg, rng)
                    n_scenes[pose] += 1
                    for detector in detectors:
                        face = _matching_face(detector.detect(scene.image), scene)
                        if face is not None:
                            _predict_face(predictions, (pose, detector.name), number, scene, face, methods, bundle)
    return truth, reference, predictions, n_scenes


def _methods(bundle: Bundle, detector: str, current_only: bool) -> dict[str, CropMethod]:
    methods = crop_methods(bundle.contract.crop_margin_01, landmarks=detector == "yunet")
    return {CURRENT: methods[CURRENT]} if current_only else methods


def _matching_face(faces: list[DetectedFace], scene: Scene) -> DetectedFace | None:
    """Find the detected face at the position of the pasted crop."""
    return max(
        (face for face in faces if _iou(face, scene) >= IOU_MIN),
        key=lambda face: face.score_01,
        default=None,
    )


def _iou(face: DetectedFace, scene: Scene) -> float:
    """Intersection over union of the aligned crop and the truth, both without rotation."""
    frame, truth = face.aligned_crop, scene.truth
    half = frame.side_px / 2
    across = min(frame.x + half, truth.x + truth.width) - max(frame.x - half, truth.x)
    down = min(frame.y + half, truth.y + truth.height) - max(frame.y - half, truth.y)
    shared = max(across, 0.0) * max(down, 0.0)
    return shared / (frame.side_px**2 + truth.width * truth.height - shared)


def _predict_face(
    predictions: dict[Key, Predictions],
    condition: tuple[str, str],
    number: int,
    scene: Scene,
    face: DetectedFace,
    methods: dict[str, dict[str, CropMethod]],
    bundle: Bundle,
) -> None:
    """Predict one detected face with every crop method, in one batch."""
    crops = {name: crop(scene.image, face) for name, crop in methods[condition[1]].items()}
    batch = bundle.contract.apply_batch(list(chain.from_iterable(crops.values())))
    probabilities = bundle.probabilities(batch)
    first = 0
    for name, face_crops in crops.items():
        entry = predictions.setdefault((*condition, name), Predictions())
        entry.faces.append(number)
        entry.rows.append(probabilities[first : first + len(face_crops)].mean(axis=0))
        first += len(face_crops)


def _row(
    key: Key, found: Predictions, truth: NDArray[np.int64], reference: NDArray[np.float32], n_scenes: int
) -> dict[str, Any]:
    faces, rows = np.array(found.faces), np.array(found.rows)
    true, reference_classes, detected_classes = truth[faces], reference[faces].argmax(1), rows.argmax(1)
    classes = reference.shape[1]
    reference_metrics = _metrics(true, reference_classes, None, classes)
    differences = _metrics(true, detected_classes, None, classes) - reference_metrics
    rng = np.random.default_rng(0)
    samples = np.zeros((_RESAMPLES, len(differences)))
    for sample in samples:
        weights = rng.multinomial(len(truth), np.full(len(truth), 1 / len(truth)))[faces].astype(float)
        sample[:] = _metrics(true, detected_classes, weights, classes) - _metrics(
            true, reference_classes, weights, classes
        )
    low, high = np.percentile(samples, [2.5, 97.5], axis=0)
    row: dict[str, Any] = dict(zip(("pose", "detector", "crop method"), key, strict=True))
    row |= {"detected": f"{100 * len(faces) / n_scenes:.1f}", "reference_accuracy": f"{reference_metrics[0]:.1f}"}
    for index, name in enumerate(("accuracy", "macro_f1", "balanced")):
        row[name] = f"{differences[index]:+.2f} ({low[index]:+.1f} to {high[index]:+.1f})"
    row["log_loss"] = f"{_log_loss(rows, true) - _log_loss(reference[faces], true):+.4f}"
    return row


def _metrics(
    true: NDArray[np.int64], predicted: NDArray[np.int64], weights: NDArray[np.float64] | None, classes: int
) -> NDArray[np.float64]:
    """Accuracy, macro-F1 and balanced accuracy in percent, over the classes that occur."""
    table = np.bincount(true * classes + predicted, weights, classes * classes).reshape(classes, classes).astype(float)
    hits, support, n_predicted = np.diagonal(table), table.sum(1), table.sum(0)
    present = support > 0
    f1 = 2 * hits[present] / (support + n_predicted)[present]
    return 100 * np.array([hits.sum() / support.sum(), f1.mean(), (hits[present] / support[present]).mean()])


def _log_loss(rows: NDArray[np.float32], true: NDArray[np.int64]) -> float:
    return float(-np.log(np.maximum(rows[np.arange(len(true)), true], 1e-9)).mean())


if __name__ == "__main__":
    main()
