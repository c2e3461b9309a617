"""A model against disturbances: the same images again and again, spoilt in one way at one strength at a time."""

from __future__ import annotations

from hashlib import sha256
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.calibration import PointName
from fer_core.data.disturb import DISTURBANCES, LEVELS, Disturbance, chance_of
from fer_core.data.source import Source
from fer_core.errors import InputError
from fer_core.evaluation.predictions import Protocol, prediction_table, truth_of
from fer_core.evaluation.report import report
from fer_core.evaluation.report_file import FIGURES
from fer_core.inference.bundle import Bundle
from fer_core.inference.robustness_report import (
    Course,
    Level,
    RobustnessReport,
    Standing,
    card_lines,
    read_robustness,
)
from fer_core.inference.score import read_batches
from fer_core.progress import Progress, silent

__all__ = ["RobustnessReport", "card_lines", "read_robustness", "robustness"]

_BATCH = 64
"""Faces whose disturbed copies are held at once."""

_MEASURED_01 = 0.95
"""How much of the work is disturbing and reading faces; the rest is judging the answers."""

_CASES = tuple(product(DISTURBANCES.values(), range(1, LEVELS + 1)))

Logits = NDArray[np.float32]
"""float32, shape (1 + cases, N, classes): undisturbed first, then `_CASES`."""


def robustness(
    bundle: Bundle,
    rows: pd.DataFrame,
    source: Source,
    protocol: Protocol,
    point: PointName,
    *,
    dataset: str,
    part: str = "",
    seed: int = 0,
    limit: int = 0,
    progress: Progress = silent,
) -> RobustnessReport:
    """Judge a model on face crops as they are and under every disturbance of `fer_core.data.disturb`.

    Each image is read once. What chance decides depends on the seed and the image's id alone, so every model is shown
    the same pictures. Some 2 KB of answers a face are kept until the end.

    Args:
        bundle: the model.
        rows: index rows, with `id`, `path` and labels. Those without a label by the protocol are left out.
        source: where their images are. One that can't be read is left out.
        dataset: what the report calls the data.
        part: what it calls the part of it, empty for all.
        seed: 0 or above.
        limit: take only so many images, drawn by their ids, the same for every model; 0 takes all.
    Raises:
        InputError: the seed or limit is negative, the protocol needs votes that are not there, no image has a label,
            or none can be read.
    """
    if seed < 0 or limit < 0:
        raise InputError(f"seed={seed} and limit={limit} must be 0 or above; limit 0 takes every image.")
    chosen = _drawn(_labelled(rows, bundle, protocol), seed, limit)
    logits, read = _answers(bundle, chosen, source, seed, progress)
    if not read.any():
        raise InputError(f"None of the {len(chosen):,} labelled images could be read. Is the data still in its place?")
    standings = _standings(bundle, chosen[read], logits[:, read], protocol, point, progress)
    progress(1.0, f"Disturbed {int(read.sum()):,} faces in {len(_CASES)} ways")
    return RobustnessReport(
        model=bundle.id or bundle.folder.name,
        dataset=dataset,
        part=part,
        protocol=protocol,
        point=point,
        n=int(read.sum()),
        seed=seed,
        undisturbed=standings[0],
        disturbances=tuple(
            _course(disturbance, standings[1 + place * LEVELS :][:LEVELS])
            for place, disturbance in enumerate(DISTURBANCES.values())
        ),
    )


def _labelled(rows: pd.DataFrame, bundle: Bundle, protocol: Protocol) -> pd.DataFrame:
    labels = bundle.contract.label_set
    unanswered = prediction_table(rows, np.zeros((len(rows), len(labels)), np.float32), labels)
    labelled = rows[truth_of(unanswered, protocol, labels) >= 0]
    if labelled.empty:
        raise InputError("There are no labelled images to judge. Choose another split or protocol.")
    return labelled


def _drawn(rows: pd.DataFrame, seed: int, limit: int) -> pd.DataFrame:
    """`limit` of the rows, in their order; which ones depends on their ids and the seed, not on how they are stored."""
    if not 0 < limit < len(rows):
        return rows
    marks = [sha256(f"{seed}\0{name}".encode()).digest() for name in rows["id"]]
    first = sorted(range(len(rows)), key=marks.__getitem__)[:limit]
    return rows.iloc[sorted(first)]


def _answers(
    bundle: Bundle, rows: pd.DataFrame, source: Source, seed: int, progress: Progress
) -> tuple[Logits, NDArray[np.bool_]]:
    """The logits of each image in each case, and which images could be read (shape (N,))."""
    logits = np.zeros((1 + len(_CASES), len(rows), len(bundle.contract.labels)), np.float32)
    read = np.zeros(len(rows), bool)
    names = rows["id"].astype(str).tolist()
    for places, images in read_batches(source, rows, _BATCH):
        faces = [np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image for image in images]
        logits[0, places] = bundle.logits(bundle.contract.apply_batch(faces))
        for case, (disturbance, level) in enumerate(_CASES, start=1):
            spoilt = [
                disturbance.at(face, level, chance_of(disturbance.name, names[place], seed))
                for place, face in zip(places, faces, strict=True)
            ]
            logits[case, places] = bundle.logits(bundle.contract.apply_batch(spoilt))
        read[places] = True
        progress(_MEASURED_01 * (places[-1] + 1) / len(rows), f"Disturbed {places[-1] + 1:,} of {len(rows):,} faces")
    return logits, read


def _standings(
    bundle: Bundle, rows: pd.DataFrame, logits: Logits, protocol: Protocol, point: PointName, progress: Progress
) -> list[Standing]:
    """How the model fares in each case."""
    labels = bundle.contract.label_set
    standings = []
    for case, answers in enumerate(logits):
        progress(_MEASURED_01 + (1 - _MEASURED_01) * case / len(logits), "Judging the answers")
        found = report(prediction_table(rows, answers, labels), bundle.calibration, labels, protocol, point)
        standings.append(Standing(**{name: found[name] for name in (*FIGURES, "ece", "intervals")}))
    return standings


def _course(disturbance: Disturbance, standings: list[Standing]) -> Course:
    return Course(
        name=disturbance.name,
        title=disturbance.title,
        strengths=disturbance.range_in_words(),
        levels=tuple(
            Level(strength=strength, meaning=disturbance.in_words(level), standing=standing)
            for level, (strength, standing) in enumerate(zip(disturbance.strengths, standings, strict=True), start=1)
        ),
    )
