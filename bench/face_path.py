"""What finding the face costs: readings of faces that a detector found, against readings of the ready crops.

    python -m bench.face_path [--model default] [--data ferplus] [--split valid] [--faces 0] [--in-use] [--json]

Crops of a dataset in the store are put into larger pictures, upright and leaning by up to 25 degrees, each in two
surrounds; YuNet and Haar look for them. Differences are in points, of the same faces, with 95 % intervals by resampling
the faces. Ways to cut are chosen on `valid`; `--in-use` compares the one in use alone, as befits `test`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.support.crop_methods import IN_USE, Cut, cuts
from bench.support.face_scenes import SURROUNDS, Scene, scene
from bench.support.table import show
from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import find_model
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.duplicates.groups import group_rows
from fer_core.data.index.images import get_face_refs, iter_images
from fer_core.data.splits.split import SplitConfig, make_split
from fer_core.detection.detector import DetectedFace, FaceDetector, HaarDetector, open_detector
from fer_core.settings import settings

ROLL_MAX_DEG = 25.0
FOUND_OVERLAP_01 = 0.4
"""How much a found frame must overlap with the truth (intersection over union) to count as found: the framing of the
datasets varies by a sixth itself."""

_RESAMPLES = 500
_LEANINGS = ("upright", "leaning")
Key = tuple[str, str, str]
"""Leaning, detector, way to cut."""


@dataclass
class Readings:
    """What was read by one way to cut: of which face (its row), and the probabilities."""

    faces: list[int] = field(default_factory=list)
    rows: list[NDArray[np.float32]] = field(default_factory=list)


def main() -> None:
    """Read every face in every way, print a row a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default")
    parser.add_argument("--data", default="ferplus")
    parser.add_argument("--split", default="valid", help="a part of the published split, or all")
    parser.add_argument("--faces", type=int, default=0, help="so many, drawn at random; all by default")
    parser.add_argument("--in-use", action="store_true", help="the way to cut that is in use alone")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    asked = parser.parse_args()
    bundle = Bundle.open(find_model(asked.model, settings()).folder)
    dataset = open_dataset(asked.data, settings())
    rows = _rows(dataset, asked.split, asked.faces, bundle)
    opened = open_detector(settings())
    detectors: list[FaceDetector] = [opened.detector]
    if opened.detector.name != "haar":
        detectors.append(HaarDetector())
    truth, ready, readings, looked = _read(dataset, rows, bundle, detectors, in_use_alone=asked.in_use)
    table = [_row(key, found, truth, ready, looked[key[0]]) for key, found in readings.items()]
    show(f"{len(truth):,} faces of {asked.data}, {asked.split}, by {bundle.id}. {opened.message}", table)


def _rows(dataset: StoredDataset, split: str, faces: int, bundle: Bundle) -> pd.DataFrame:
    index = dataset.index()
    if split != "all":
        index = index[(make_split(index, SplitConfig(), group_rows(index, dataset.pairs())) == split).to_numpy(bool)]
    index = index[index["label"].isin([str(label) for label in bundle.contract.labels]) & (index["problem"] == "")]
    return index.sample(faces, random_state=0) if faces else index


def _read(
    dataset: StoredDataset, rows: pd.DataFrame, bundle: Bundle, detectors: list[FaceDetector], *, in_use_alone: bool
) -> tuple[NDArray[np.int64], NDArray[np.float32], dict[Key, Readings], dict[str, int]]:
    """Truth and reading of each ready crop, the readings of the found ones by `Key`, and how many scenes there were."""
    places = {str(label): place for place, label in enumerate(bundle.contract.labels)}
    truth = np.asarray(rows["label"].astype("str").map(places), np.int64)
    ready: NDArray[np.float32] = np.zeros((len(rows), len(places)), np.float32)
    readings: dict[Key, Readings] = {}
    looked = dict.fromkeys(_LEANINGS, 0)
    ways = {name: _ways(bundle, name, in_use_alone) for name in (detector.name for detector in detectors)}
    with dataset.source(settings()) as source:
        for number, crop in enumerate(iter_images(source, get_face_refs(rows))):
            assert crop is not None
            ready[number] = bundle.probabilities(bundle.contract.apply(crop)[None])[0]
            rng = np.random.default_rng(number)
            for leaning in _LEANINGS:
                for surround in SURROUNDS:
                    roll_deg = float(rng.uniform(-ROLL_MAX_DEG, ROLL_MAX_DEG)) if leaning == "leaning" else 0.0
                    seen = scene(crop, surround, roll_deg, rng)
                    looked[leaning] += 1
                    for detector in detectors:
                        face = _found(detector.detect(seen.picture), seen)
                        if face is not None:
                            _read_face(readings, (leaning, detector.name), number, seen, face, ways, bundle)
    return truth, ready, readings, looked


def _ways(bundle: Bundle, detector: str, in_use_alone: bool) -> dict[str, Cut]:
    every = cuts(bundle.contract.crop_margin_01, landmarks=detector == "yunet")
    return {IN_USE: every[IN_USE]} if in_use_alone else every


def _found(faces: list[DetectedFace], seen: Scene) -> DetectedFace | None:
    """The face that lies where the crop does."""
    return max(
        (face for face in faces if _overlap_01(face, seen) >= FOUND_OVERLAP_01),
        key=lambda face: face.score_01,
        default=None,
    )


def _overlap_01(face: DetectedFace, seen: Scene) -> float:
    """Intersection over union of the face's frame and the truth, both upright."""
    frame, truth = face.frame, seen.truth
    half = frame.side_px / 2
    across = min(frame.x + half, truth.x + truth.width) - max(frame.x - half, truth.x)
    down = min(frame.y + half, truth.y + truth.height) - max(frame.y - half, truth.y)
    shared = max(across, 0.0) * max(down, 0.0)
    return shared / (frame.side_px**2 + truth.width * truth.height - shared)


def _read_face(
    readings: dict[Key, Readings],
    where: tuple[str, str],
    number: int,
    seen: Scene,
    face: DetectedFace,
    ways: dict[str, dict[str, Cut]],
    bundle: Bundle,
) -> None:
    """Read one found face in every way, in one batch."""
    crops = {name: cut(seen.picture, face) for name, cut in ways[where[1]].items()}
    batch = bundle.contract.apply_batch([crop for several in crops.values() for crop in several])
    probabilities = bundle.probabilities(batch)
    first = 0
    for name, several in crops.items():
        kept = readings.setdefault((*where, name), Readings())
        kept.faces.append(number)
        kept.rows.append(probabilities[first : first + len(several)].mean(axis=0))
        first += len(several)


def _row(
    key: Key, found: Readings, truth: NDArray[np.int64], ready: NDArray[np.float32], looked: int
) -> dict[str, Any]:
    faces, rows = np.array(found.faces), np.array(found.rows)
    true, before, after = truth[faces], ready[faces].argmax(1), rows.argmax(1)
    classes = ready.shape[1]
    alone = _figures(true, before, None, classes)
    differences = _figures(true, after, None, classes) - alone
    rng = np.random.default_rng(0)
    drawn = np.zeros((_RESAMPLES, len(differences)))
    for sample in drawn:
        weights = rng.multinomial(len(truth), np.full(len(truth), 1 / len(truth)))[faces].astype(float)
        sample[:] = _figures(true, after, weights, classes) - _figures(true, before, weights, classes)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    row: dict[str, Any] = dict(zip(("leaning", "detector", "cut"), key, strict=True))
    row |= {"found": f"{100 * len(faces) / looked:.1f}", "ready_accuracy": f"{alone[0]:.1f}"}
    for place, name in enumerate(("accuracy", "macro_f1", "balanced")):
        row[name] = f"{differences[place]:+.2f} ({low[place]:+.1f} to {high[place]:+.1f})"
    row["log_loss"] = f"{_log_loss(rows, true) - _log_loss(ready[faces], true):+.4f}"
    return row


def _figures(
    true: NDArray[np.int64], read: NDArray[np.int64], weights: NDArray[np.float64] | None, classes: int
) -> NDArray[np.float64]:
    """Accuracy, macro-F1 and balanced accuracy in percent, of the classes that occur."""
    table = np.bincount(true * classes + read, weights, classes * classes).reshape(classes, classes).astype(float)
    hits, support, answers = np.diagonal(table), table.sum(1), table.sum(0)
    there = support > 0
    f1 = 2 * hits[there] / (support + answers)[there]
    return 100 * np.array([hits.sum() / support.sum(), f1.mean(), (hits[there] / support[there]).mean()])


def _log_loss(rows: NDArray[np.float32], true: NDArray[np.int64]) -> float:
    return float(-np.log(np.maximum(rows[np.arange(len(true)), true], 1e-9)).mean())


if __name__ == "__main__":
    main()
