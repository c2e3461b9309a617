"""Predict a dataset for evaluation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from fer_core.data.index.images import get_face_refs, iter_images
from fer_core.data.sources.source import Source
from fer_core.evaluation.classifier import Classifier
from fer_core.evaluation.predictions import prediction_table
from fer_core.faces import RgbImage
from fer_core.progress import Progress, no_progress

_BATCH = 256


def predict_dataset(
    classifier: Classifier, rows: pd.DataFrame, source: Source, progress: Progress = no_progress
) -> pd.DataFrame:
    """Predict images that are face crops; unreadable ones are skipped.

    Args:
        rows: of an index, with `path`.
    Returns:
        see `evaluation.predictions.prediction_table`; indexed by the row numbers of the images.
    """
    logits = np.zeros((len(rows), len(classifier.contract.labels)), np.float32)
    read = np.zeros(len(rows), bool)
    for numbers, faces in image_batches(source, rows):
        logits[numbers] = classifier.logits(classifier.contract.apply_batch(faces))
        read[numbers] = True
        done = numbers[-1] + 1
        progress(done / len(rows), f"Predicted {done:,} of {len(rows):,} faces")
    table = prediction_table(rows[read], logits[read], classifier.contract.label_set)
    return table.set_axis(np.flatnonzero(read))


def image_batches(source: Source, rows: pd.DataFrame, size: int = _BATCH) -> Iterator[tuple[list[int], list[RgbImage]]]:
    """Yield batches of the readable images with their row numbers."""
    numbers: list[int] = []
    faces: list[RgbImage] = []
    for number, face in enumerate(iter_images(source, get_face_refs(rows))):
        if face is not None:
            numbers.append(number)
            faces.append(face)
        if len(faces) == size:
            yield numbers, faces
            numbers, faces = [], []
    if faces:
        yield numbers, faces
