"""Run a model over a dataset: the table of predictions for evaluation."""

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
    """Predict images that are face crops already.

    Args:
        classifier: the model.
        rows: index rows, with `path`.
        source: where their images are. One that can't be read is left out.
    Returns:
        see `evaluation.predictions.prediction_table`.
    """
    logits = np.zeros((len(rows), len(classifier.contract.labels)), np.float32)
    read = np.zeros(len(rows), bool)
    for places, faces in image_batches(source, rows):
        logits[places] = classifier.logits(classifier.contract.apply_batch(faces))
        read[places] = True
        progress((places[-1] + 1) / len(rows), f"Read {places[-1] + 1:,} of {len(rows):,} faces")
    return prediction_table(rows[read], logits[read], classifier.contract.label_set)


def image_batches(source: Source, rows: pd.DataFrame, size: int = _BATCH) -> Iterator[tuple[list[int], list[RgbImage]]]:
    """Yield the readable images, at most `size` at once, with their positions among the rows."""
    places: list[int] = []
    faces: list[RgbImage] = []
    for place, face in enumerate(iter_images(source, get_face_refs(rows))):
        if face is not None:
            places.append(place)
            faces.append(face)
        if len(faces) == size:
            yield places, faces
            places, faces = [], []
    if faces:
        yield places, faces
