"""Run a model over a dataset: the table of predictions that evaluation judges."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fer_core.data.images import face_refs, images_in_order
from fer_core.data.source import Source
from fer_core.evaluation.predictions import prediction_table
from fer_core.faces import RgbImage
from fer_core.inference.bundle import Bundle
from fer_core.progress import Progress, silent

_BATCH = 256


def score(bundle: Bundle, rows: pd.DataFrame, source: Source, progress: Progress = silent) -> pd.DataFrame:
    """Predictions for images that are face crops already.

    Args:
        bundle: the model.
        rows: index rows, with `path`.
        source: where their images are. One that can't be read is left out.
    Returns:
        see `evaluation.predictions.prediction_table`.
    """
    logits = np.zeros((len(rows), len(bundle.contract.labels)), np.float32)
    read = np.zeros(len(rows), bool)
    waiting: list[tuple[int, RgbImage]] = []

    def flush() -> None:
        if waiting:
            places = [place for place, _ in waiting]
            logits[places] = bundle.logits(bundle.contract.apply_batch([face for _, face in waiting]))
            read[places] = True
            waiting.clear()

    for place, pixels in enumerate(images_in_order(source, face_refs(rows))):
        if pixels is not None:
            waiting.append((place, pixels))
        if len(waiting) == _BATCH:
            flush()
            progress(place / len(rows), f"Read {place:,} of {len(rows):,} faces")
    flush()
    return prediction_table(rows[read], logits[read], bundle.contract.label_set)
