"""Stored predictions of a model on a dataset: the logits of every readable image, computed once and then read.

They depend on the images and the model alone. Labels, corrections, splits and calibration are applied when they are
read, so none of these makes them out of date. The files are in the cache of the store, which can be deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.contract import Contract
from fer_core.files.atomic import atomic_path
from fer_core.files.download import file_sha256
from fer_core.settings import Settings

FOLDER = "predictions"
"""In the cache of the store."""

_MODEL_FILES = ("model.onnx", "contract.json")
"""The files of a model that decide its logits."""

_HASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class PredictionKey:
    """The fingerprints of a dataset and a model; the same images and weights under other ids have the same key."""

    dataset: str
    model: str

    @classmethod
    def of(cls, dataset_fingerprint: str, model_folder: Path) -> Self:
        """Build the key of a dataset and the model in a folder.

        Raises:
            OSError: a file of the model is missing.
        """
        hashes = "".join(file_sha256(model_folder / name) for name in _MODEL_FILES)
        return cls(dataset_fingerprint, hashlib.sha256(hashes.encode()).hexdigest()[:_HASH_DIGITS])

    def path(self, settings: Settings) -> Path:
        """Return the path of the stored predictions."""
        return settings.cache_dir / FOLDER / f"{self.dataset}-{self.model}.parquet"


def logit_table(ids: Iterable[str], logits: NDArray[np.float32], contract: Contract) -> pd.DataFrame:
    """Build a table of logits: `id` and `logit_<expression>`.

    Args:
        logits: float32, shape (images, classes).
    """
    columns = {f"logit_{label}": logits[:, code] for code, label in enumerate(contract.labels)}
    return pd.DataFrame({"id": list(ids), **columns})


def write_predictions(table: pd.DataFrame, path: Path) -> None:
    """Write a table of logits atomically."""
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_predictions(path: Path) -> pd.DataFrame | None:
    """Read a table of logits; None if there is none, or it is damaged and has to be computed again."""
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError):  # pyarrow's error of an invalid file is a ValueError
        return None


def aligned_logits(table: pd.DataFrame, ids: pd.Series, contract: Contract) -> NDArray[np.float32]:
    """Bring logits into the order of an index; float32, shape (len(ids), classes), nan for an image without them."""
    columns = [f"logit_{label}" for label in contract.labels]
    return table.set_index("id")[columns].reindex(ids.to_numpy(object)).to_numpy(np.float32)
