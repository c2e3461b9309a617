"""A model against disturbances: the same images again and again, spoilt in one way at one strength at a time."""

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
from fer_core.evaluation.report_schema import METRICS
from fer_core.evaluation.robustness_report import (
    CorruptionCurve,
    RobustnessReport,
    Scores,
    SeverityResult,
    card_lines,
    read_robustness,
)
from fer_core.progress import Progress, no_progress

__all__ = ["RobustnessReport", "card_lines", "read_robustness", "robustness"]

_BATCH = 64
"""Faces whose disturbed copies are held at once."""

_PREDICTION_SHARE_01 = 0.95
"""How much of the work is disturbing and reading faces; the rest is judging the answers."""

_CASES = tuple(product(CORRUPTIONS.values(), range(1, SEVERITIES + 1)))

Logits = NDArray[np.float32]
"""float32, shape (1 + cases, N, classes): undisturbed first, then `_CASES`."""


def robustness(
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
    """Judge a model on face crops as they are and under every disturbance of `fer_core.corruptions.corruption`.

    Each image is read once. What chance decides depends on the seed and the image's id alone, so every model is shown
    the same pictures. Some 2 KB of answers a face are kept until the end.

    Args:
        classifier: the model.
        rows: index rows, with `id`, `path` and labels. Those without a label by the protocol are left out.
        source: where their images are. One that can't be read is left out.
        dataset: what the report calls the data.
        split: what it calls the part of it, empty for all.
        seed: 0 or above.
        limit: take only so many images, drawn by their ids, the same for every model; 0 takes all.
    Raises:
        InputError: the seed or limit is negative, the protocol needs votes that are not there, no image has a label,
            or none can be read.
    """
    if seed < 0 or limit < 0:
        raise InputError(f"seed={seed} and limit={limit} must be 0 or above; limit 0 takes every image.")
    sample = _sample(_labeled(rows, classifier, protocol), seed, limit)
    logits, read = _predict_cases(classifier, sample, source, seed, progress)
    if not read.any():
        raise InputError(f"None of the {len(sample):,} labeled images could be read. Is the data still in its place?")
    scores = _score_cases(classifier, sample[read], logits[:, read], protocol, point, progress)
    progress(1.0, f"Disturbed {int(read.sum()):,} faces in {len(_CASES)} ways")
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
            _corruption_curve(corruption, scores[1 + place * SEVERITIES :][:SEVERITIES])
            for place, corruption in enumerate(CORRUPTIONS.values())
        ),
    )


def _labeled(rows: pd.DataFrame, classifier: Classifier, protocol: Protocol) -> pd.DataFrame:
    labels = classifier.contract.label_set
    unanswered = prediction_table(rows, np.zeros((len(rows), len(labels)), np.float32), labels)
    labeled = rows[true_labels(unanswered, protocol, labels) >= 0]
    if labeled.empty:
        raise InputError("There are no labeled images to judge. Choose another split or protocol.")
    return labeled


def _sample(rows: pd.DataFrame, seed: int, limit: int) -> pd.DataFrame:
    """`limit` of the rows, in their order; which ones depends on their ids and the seed, not on how they are stored."""
    if not 0 < limit < len(rows):
        return rows
    marks = [sha256(f"{seed}\0{name}".encode()).digest() for name in rows["id"]]
    first = sorted(range(len(rows)), key=marks.__getitem__)[:limit]
    return rows.iloc[sorted(first)]


def _predict_cases(
    classifier: Classifier, rows: pd.DataFrame, source: Source, seed: int, progress: Progress
) -> tuple[Logits, NDArray[np.bool_]]:
    """The logits of each image in each case, and which images could be read (shape (N,))."""
    logits = np.zeros((1 + len(_CASES), len(rows), len(classifier.contract.labels)), np.float32)
    read = np.zeros(len(rows), bool)
    names = rows["id"].astype(str).tolist()
    for places, images in image_batches(source, rows, _BATCH):
        faces = [np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image for image in images]
        logits[0, places] = classifier.logits(classifier.contract.apply_batch(faces))
        for case, (corruption, severity) in enumerate(_CASES, start=1):
            corrupted = [
                corruption.apply(face, severity, rng_for(corruption.name, names[place], seed))
                for place, face in zip(places, faces, strict=True)
            ]
            logits[case, places] = classifier.logits(classifier.contract.apply_batch(corrupted))
        read[places] = True
        progress(
            _PREDICTION_SHARE_01 * (places[-1] + 1) / len(rows), f"Disturbed {places[-1] + 1:,} of {len(rows):,} faces"
        )
    return logits, read


def _score_cases(
    classifier: Classifier,
    rows: pd.DataFrame,
    logits: Logits,
    protocol: Protocol,
    point: OperatingPoint,
    progress: Progress,
) -> list[Scores]:
    """How the model fares in each case."""
    labels = classifier.contract.label_set
    scores = []
    for case, answers in enumerate(logits):
        progress(_PREDICTION_SHARE_01 + (1 - _PREDICTION_SHARE_01) * case / len(logits), "Judging the answers")
        found = build_report(prediction_table(rows, answers, labels), classifier.calibration, labels, protocol, point)
        scores.append(Scores(**{name: found[name] for name in (*METRICS, "ece", "intervals")}))
    return scores


def _corruption_curve(corruption: Corruption, scores: list[Scores]) -> CorruptionCurve:
    return CorruptionCurve(
        name=corruption.name,
        title=corruption.title,
        parameter_range=corruption.describe_range(),
        severities=tuple(
            SeverityResult(parameter=parameter, description=corruption.describe(severity), scores=result)
            for severity, (parameter, result) in enumerate(zip(corruption.parameters, scores, strict=True), start=1)
        ),
    )
