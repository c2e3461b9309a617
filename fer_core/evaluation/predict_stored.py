"""Predict every image of a stored dataset and save the logits, in chunks, so that a stopped prediction resumes."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd

from fer_core.data.catalog import StoredDataset
from fer_core.data.index.images import BOX_COLUMNS
from fer_core.data.sources.source import Source
from fer_core.evaluation.classifier import Classifier
from fer_core.evaluation.predict_dataset import image_batches
from fer_core.evaluation.prediction_cache import PredictionKey, logit_table, read_predictions, write_predictions
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

_CHUNK_ROWS = 1024


def predict_stored(
    classifier: Classifier,
    dataset: StoredDataset,
    key: PredictionKey,
    settings: Settings,
    progress: Progress = no_progress,
) -> pd.DataFrame:
    """Read the predictions of a dataset from the cache; compute and save them if they are not there.

    Excluded images and those without a label are predicted, too, as corrections can change both.

    Returns:
        see `prediction_cache.logit_table`; a row for each readable image, in the order of the index.
    Raises:
        CancelledError: `progress` asked to stop; finished chunks stay.
    """
    path = key.path(settings)
    stored = read_predictions(path)
    if stored is not None:
        return stored
    parts = path.with_suffix(".parts")
    rows = dataset.raw_index(["id", "path", "sha256", *BOX_COLUMNS])
    rows = rows[rows["sha256"] != ""].reset_index(drop=True)
    tables = []
    with dataset.source(settings) as source:
        for start in range(0, len(rows), _CHUNK_ROWS):
            part = parts / f"{start:09d}.parquet"
            table = read_predictions(part)
            if table is None:
                table = _predict_chunk(classifier, rows[start : start + _CHUNK_ROWS], source)
                write_predictions(table, part)
            tables.append(table)
            done = min(start + _CHUNK_ROWS, len(rows))
            progress(done / len(rows), f"Predicted {done:,} of {len(rows):,} faces")
    empty = logit_table([], np.zeros((0, len(classifier.contract.labels)), np.float32), classifier.contract)
    table = pd.concat(tables, ignore_index=True) if tables else empty
    write_predictions(table, path)
    shutil.rmtree(parts, ignore_errors=True)
    return table


def _predict_chunk(classifier: Classifier, rows: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Predict some rows; an image that can't be read any more is left out."""
    ids: list[str] = []
    logits = [np.zeros((0, len(classifier.contract.labels)), np.float32)]
    for numbers, faces in image_batches(source, rows):
        ids += rows["id"].iloc[numbers].tolist()
        logits.append(classifier.logits(classifier.contract.apply_batch(faces)))
    return logit_table(ids, np.concatenate(logits), classifier.contract)
