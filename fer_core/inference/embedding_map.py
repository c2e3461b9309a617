"""A map of a dataset's images: UMAP of what a model computes before its answer, computed once and then read.

McInnes, Healy and Melville (2018), "UMAP: Uniform Manifold Approximation and Projection", arXiv:1802.03426. The files
are in the cache of the store, and are deleted with the dataset.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset
from fer_core.data.index.images import BOX_COLUMNS
from fer_core.data.sources.source import Source
from fer_core.errors import InputError
from fer_core.evaluation.predict_dataset import image_batches
from fer_core.evaluation.predict_stored import compute_chunks, delete_chunks
from fer_core.evaluation.prediction_cache import PredictionKey, read_predictions, write_predictions
from fer_core.inference.network_features import FeatureNetwork
from fer_core.progress import Progress, no_progress
from fer_core.settings import Settings

IMAGES_MAX = 20_000
"""Of larger datasets a random sample is mapped: UMAP of more takes long and the points cover each other."""

_FOLDER = "embeddings"
_IMAGES_MIN = 20
_CHUNK_ROWS = 1024
_NEIGHBORS, _MIN_DIST, _SEED = 15, 0.1, 0
_EMBEDDING_SHARE_01 = 0.7
"""Of the time, for the embedding; the rest is UMAP."""


def map_path(dataset_fingerprint: str, model_folder: Path, settings: Settings) -> Path:
    """Return the path of the map of a dataset by a model, whether it exists or not."""
    key = PredictionKey.of(dataset_fingerprint, model_folder)
    return settings.cache_dir / _FOLDER / f"{key.dataset}-{key.model}.parquet"


def read_map(path: Path) -> pd.DataFrame | None:
    """Read a map: `id`, `x` and `y`, 0..1; None if there is none."""
    return read_predictions(path)


def compute_map(
    network: FeatureNetwork, dataset: StoredDataset, path: Path, settings: Settings, progress: Progress = no_progress
) -> pd.DataFrame:
    """Read the map from the cache; compute and save it if it is not there.

    The embeddings are computed in chunks, so that a stopped computation resumes. The same images and model give the
    same map on one machine.

    Returns:
        `id`, `x` and `y`, float32, 0..1; a row for each readable image of the random sample.
    Raises:
        InputError: there are too few readable images.
        CancelledError: `progress` asked to stop; finished chunks stay.
    """
    stored = read_map(path)
    if stored is not None:
        return stored
    rows = _sample(dataset.raw_index(["id", "path", "sha256", *BOX_COLUMNS]))
    tables = []
    with dataset.source(settings) as source:
        for done, table in compute_chunks(rows, path, lambda chunk: _embed(network, chunk, source), _CHUNK_ROWS):
            tables.append(table)
            progress(_EMBEDDING_SHARE_01 * done / len(rows), f"Embedded {done:,} of {len(rows):,} faces")
    embedded = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"id": []})
    if len(embedded) < _IMAGES_MIN:
        raise InputError(f"A map needs {_IMAGES_MIN} readable images; {dataset.id} has {len(embedded)}.")
    progress(_EMBEDDING_SHARE_01, "Laying out the map")
    places = reduce_to_map(embedded.drop(columns="id").to_numpy(np.float32))
    result = pd.DataFrame({"id": embedded["id"], "x": places[:, 0], "y": places[:, 1]})
    write_predictions(result, path)
    delete_chunks(path)
    return result


def reduce_to_map(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reduce embeddings to two dimensions by UMAP with the cosine distance, within 0..1 on one scale; shape (N, 2)."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of n_jobs, which a seed sets to one
        from umap import UMAP

        reducer = UMAP(
            n_neighbors=min(_NEIGHBORS, len(embeddings) - 1), min_dist=_MIN_DIST, metric="cosine", random_state=_SEED
        )
        places = np.asarray(reducer.fit_transform(embeddings), np.float32)
    low, side = places.min(0), float(np.ptp(places, axis=0).max())
    return np.asarray((places - low) / max(side, 1e-9), np.float32)


def _sample(rows: pd.DataFrame) -> pd.DataFrame:
    readable = rows[rows["sha256"] != ""].reset_index(drop=True)
    if len(readable) <= IMAGES_MAX:
        return readable
    chosen = np.random.default_rng(_SEED).choice(len(readable), IMAGES_MAX, replace=False)
    return readable.iloc[np.sort(chosen)].reset_index(drop=True)


def _embed(network: FeatureNetwork, rows: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Embed some rows; an image that can't be read any more is left out."""
    ids: list[str] = []
    found = [np.zeros((0, network.weights.shape[1]), np.float32)]
    for numbers, faces in image_batches(source, rows):
        ids += rows["id"].iloc[numbers].tolist()
        found.append(network.run(network.contract.apply_batch(faces)).embedding)
    embeddings = np.concatenate(found)
    return pd.DataFrame({"id": ids, **{f"e{place}": embeddings[:, place] for place in range(embeddings.shape[1])}})
