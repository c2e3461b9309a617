"""Measure a model's robustness: its scores on the same images under each corruption and severity."""

from __future__ import annotations

from hashlib import sha256
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.calibration import OperatingPoint
from fer_core.corruptions.corruption import CORRUPTIONS, SEVERITIES, Corruption, rng_for
from fer_core.data.sources.source import Source
from fer_core.errors import InputError
from fer_core.evaluation.classifier import Classifier
from fer_core.evaluation.predict_dataset import image_batches
from fer_core.evaluation.predictions import Protocol, prediction_table, true_labels
from fer_core.evaluation.report import build_report
from fer_core.evaluation.robustness_report import (
    CorruptionCurve,
    RobustnessReport,
    RobustnessScores,
    SeverityResult,
)
from fer_core.progress import Progress, no_progress

_BATCH = 64
"""Faces whose corrupted copies are in memory at the same time."""

_PREDICTION_SHARE_01 = 0.95
"""Share of the progress for corrupting and predicting; the rest is for scoring."""

_CASES = tuple(product(CORRUPTIONS.values(), range(1, SEVERITIES + 1)))

Logits = NDArray[np.float32]
"""float32, shape (1 + cases, N, classes): clean images first, then `_CASES`."""


def evaluate_robustness(
    classifier: Classifier,
    rows: pd.DataFrame,
    source: Source,
    protocol: Protocol,
    point: OperatingPoint,
    *,
    dataset: str,
    split: str = "",
    seed: int = 0,
    limit: int = 0,
    progress: Progress = no_progress,
) -> RobustnessReport:
    """Evaluate a model on clean face crops and under every corruption of `fer_core.corruptions.corruption`.

    The corruptions depend only on the seed and the image's id, so every model sees the same images. About 2 KB of
    logits per face stay in memory.

    Args:
        rows: of an index, with `id`, `path` and labels; unlabeled and unreadable ones are skipped.
        dataset: the name of the data in the report.
        split: empty for all images.
        seed: 0 or above.
        limit: number of images, sampled by id, the same for every model; 0 for all.
    Raises:
        InputError: the seed or limit is negative, the protocol needs votes that are not there, no image has a label,
            or none can be read.
    """
    if seed < 0 or limit < 0:
        raise InputError(f"seed={seed} and limit={limit} must be 0 or above; limit 0 takes every image.")
    sample = _sample(_labeled(rows, classifier, protocol), seed, limit)
    logits, read = _predict_cases(classifier, sample, source, seed, progress)
    if not read.any():
        raise InputError(f"None of the {len(sample):,} labeled images could be read. Was the data moved?")
    scores = _score_cases(classifier, sample[read], logits[:, read], protocol, point, progress)
    progress(1.0, f"Corrupted {int(read.sum()):,} faces in {len(_CASES)} ways")
    return RobustnessReport(
        model=classifier.id,
        dataset=dataset,
        split=split,
        protocol=protocol,
        point=point,
        n=int(read.sum()),
        seed=seed,
        clean=scores[0],
        corruptions=tuple(
            _corruption_curve(corruption, scores[1 + number * SEVERITIES :][:SEVERITIES])
            for number, corruption in enumerate(CORRUPTIONS.values())
        ),
    )


def _labeled(rows: pd.DataFrame, classifier: Classifier, protocol: Protocol) -> pd.DataFrame:
    labels = classifier.contract.label_set
    unpredicted = prediction_table(rows, np.zeros((len(rows), len(labels)), np.float32), labels)
    labeled = rows[true_labels(unpredicted, protocol, labels) >= 0]
    if labeled.empty:
        raise InputError("There are no labeled images to evaluate. Choose another split or protocol.")
    return labeled


def _sample(rows: pd.DataFrame, seed: int, limit: int) -> pd.DataFrame:
    """Sample `limit` rows by id and seed, independent of the order of the rows."""
    if not 0 < limit < len(rows):
        return rows
    keys = [sha256(f"{seed}\0{name}".encode()).digest() for name in rows["id"]]
    first = sorted(range(len(rows)), key=keys.__getitem__)[:limit]
    return rows.iloc[sorted(first)]


def _predict_cases(
    classifier: Classifier, rows: pd.DataFrame, source: Source, seed: int, progress: Progress
) -> tuple[Logits, NDArray[np.bool_]]:
    """Compute the logits of each image in each case, and which images could be read (shape (N,))."""
    logits = np.zeros((1 + len(_CASES), len(rows), len(classifier.contract.labels)), np.float32)
    read = np.zeros(len(rows), bool)
    names = rows["id"].astype(str).tolist()
    for numbers, images in image_batches(source, rows, _BATCH):
        faces = [np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image for image in images]
        logits[0, numbers] = classifier.logits(classifier.contract.apply_batch(faces))
        for case, (corruption, severity) in enumerate(_CASES, start=1):
            corrupted = [
                corruption.apply(face, severity, rng_for(corruption.name, names[number], seed))
                for number, face in zip(numbers, faces, strict=True)
            ]
            logits[case, numbers] = classifier.logits(classifier.contract.apply_batch(corrupted))
        read[numbers] = True
        done = numbers[-1] + 1
        progress(_PREDICTION_SHARE_01 * done / len(rows), f"Corrupted {done:,} of {len(rows):,} faces")
    return logits, read


def _score_cases(
    classifier: Classifier,
    rows: pd.DataFrame,
    logits: Logits,
    protocol: Protocol,
    point: OperatingPoint,
    progress: Progress,
) -> list[RobustnessScores]:
    """Compute the scores of each case."""
    labels = classifier.contract.label_set
    scores = []
    for case, case_logits in enumerate(logits):
        progress(_PREDICTION_SHARE_01 + (1 - _PREDICTION_SHARE_01) * case / len(logits), "Scoring the predictions")
        table = prediction_table(rows, case_logits, labels)
        report = build_report(table, classifier.calibration, labels, protocol, point)
        scores.append(RobustnessScores.from_report(report))
    return scores


def _corruption_curve(corruption: Corruption, scores: list[RobustnessScores]) -> CorruptionCurve:
    return CorruptionCurve(
        name=corruption.name,
        title=corruption.title,
        parameter_range=corruption.describe_range(),
        severities=tuple(
            SeverityResult(parameter=parameter, description=corruption.describe(severity), scores=result)
            for severity, (parameter, result) in enumerate(zip(corruption.parameters, scores, strict=True), start=1)
        ),
    )
