"""Predict every image of a stored dataset and save the logits, in chunks, so that a stopped prediction resumes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

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
    rows = dataset.raw_index(["id", "path", "sha256", *BOX_COLUMNS])
    rows = rows[rows["sha256"] != ""].reset_index(drop=True)
    with dataset.source(settings) as source:
        chunks = compute_chunks(rows, path, lambda chunk: _predict_chunk(classifier, chunk, source), _CHUNK_ROWS)
        tables = []
        for done, table in chunks:
            tables.append(table)
            progress(done / len(rows), f"Predicted {done:,} of {len(rows):,} faces")
    empty = logit_table([], np.zeros((0, len(classifier.contract.labels)), np.float32), classifier.contract)
    table = pd.concat(tables, ignore_index=True) if tables else empty
    write_predictions(table, path)
    delete_chunks(path)
    return table


def compute_chunks(
    rows: pd.DataFrame, path: Path, compute: Callable[[pd.DataFrame], pd.DataFrame], size: int
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Compute a table in chunks of rows; those that an earlier, stopped computation finished are read.

    Args:
        path: of the whole table; the chunks are beside it until `delete_chunks`.
        compute: computes the table of some rows.
        size: rows of a chunk.
    Yields:
        how many rows are done, and the table of the chunk.
    """
    for start in range(0, len(rows), size):
        part = _parts(path) / f"{start:09d}.parquet"
        table = read_predictions(part)
        if table is None:
            table = compute(rows[start : start + size])
            write_predictions(table, part)
        yield min(start + size, len(rows)), table


def delete_chunks(path: Path) -> None:
    """Delete the chunks of a table that is written whole."""
    shutil.rmtree(_parts(path), ignore_errors=True)


def _parts(path: Path) -> Path:
    return path.with_suffix(".parts")


def _predict_chunk(classifier: Classifier, rows: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Predict some rows; an image that can't be read any more is left out."""
    ids: list[str] = []
    logits = [np.zeros((0, len(classifier.contract.labels)), np.float32)]
    for numbers, faces in image_batches(source, rows):
        ids += rows["id"].iloc[numbers].tolist()
        logits.append(classifier.logits(classifier.contract.apply_batch(faces)))
    return logit_table(ids, np.concatenate(logits), classifier.contract)
