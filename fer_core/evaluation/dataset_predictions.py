"""A model's stored predictions of a dataset, and the images of it that the model can be evaluated on.

These are the images of a split, without excluded ones and without those that the model was trained or selected on, or
has a copy of in training. The labels are those of the newest corrections, by a protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.calibration import CALIBRATION_FILE, Calibration, OperatingPoint
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.data.catalog import StoredDataset
from fer_core.data.record import SPLIT_TITLES, Split
from fer_core.data.training_images import ExcludedImages, SeenImages, truncate_hashes
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.errors import InputError, RunError
from fer_core.evaluation.evaluated_images import EvaluatedImages, evaluate_table
from fer_core.evaluation.prediction_cache import PredictionKey, aligned_logits, read_predictions
from fer_core.evaluation.predictions import PROTOCOLS, Protocol, prediction_table
from fer_core.labels import LabelSet
from fer_core.runs.folder import Run
from fer_core.runs.training_images import find_training_dataset, load_split_by_id, load_training_images
from fer_core.settings import Settings

ALL_IMAGES = "all"
"""In place of a split: every image that the model has not seen."""

_COLUMNS = ("id", "label", "split", "sha256", *VOTE_COLUMNS)


class NotPredictedError(InputError):
    """The model has no stored predictions of the dataset as it is now."""


class SplitImages(NamedTuple):
    """A split on which a model can be evaluated: its number of images, and whether the split is the run's own."""

    name: str
    n: int
    of_run: bool


@dataclass(frozen=True)
class DatasetPredictions:
    """A model's stored predictions of a dataset, in the order of its index.

    Attributes:
        index: with corrections applied; columns of `_COLUMNS` as far as there are, `excluded` and `relabeled`.
        logits: float32, shape (len(index), classes); nan for an image without a prediction.
        splits: the run's own split if it was trained on this dataset, else the published one; "" for none.
        of_run: whether they are the run's own.
        seen: None if the model does not list its images.
        complete: whether the list has all training images.
    """

    contract: Contract
    calibration: Calibration
    index: pd.DataFrame
    logits: NDArray[np.float32]
    splits: NDArray[np.str_]
    of_run: bool
    seen: SeenImages | None
    complete: bool

    @property
    def labels(self) -> LabelSet:
        """The model's labels, in the order of its outputs."""
        return self.contract.label_set

    @cached_property
    def table(self) -> pd.DataFrame:
        """The labels of every image by each protocol; see `predictions.prediction_table`."""
        return prediction_table(self.index, self.logits, self.labels)

    def protocols(self) -> list[Protocol]:
        """List the protocols by which an image has a label, the headline's first."""
        return [name for name in PROTOCOLS if name in self.table and bool(self.table[name].notna().any())]

    def list_splits(self) -> list[SplitImages]:
        """List the splits that have images to evaluate, the test split first; all images last, if they are more."""
        found = {name: int(self._evaluated(name).sum()) for name in (*SPLIT_TITLES, ALL_IMAGES)}
        if found[ALL_IMAGES] <= max(found[name] for name in SPLIT_TITLES if not self._is_own(name)):
            del found[ALL_IMAGES]
        return [SplitImages(name, n, self.of_run) for name, n in found.items() if n]

    def split_beside(self, split: str) -> str:
        """Return the split for a comparison with a model that is evaluated on `split`: the same if it is here, too.

        Otherwise every image that the model has not seen; the comparison selects the common ones.
        """
        return split if split in {each.name for each in self.list_splits()} else ALL_IMAGES

    def evaluate(
        self, split: str, protocol: Protocol, point: OperatingPoint, *, with_copied: bool = False
    ) -> EvaluatedImages:
        """Evaluate the images of a split.

        Args:
            split: of `list_splits`.
            with_copied: include those of which the model's training had a copy, to compare the scores.
        Raises:
            InputError: the split has no images, no image has a label that the model knows, or there are no votes.
        """
        chosen = self._evaluated(split, with_copied=with_copied)
        if not chosen.any():
            known = ", ".join(each.name for each in self.list_splits()) or "none"
            raise InputError(f"There are no images to evaluate in the split {split!r}. Splits with images: {known}.")
        excluded = self._count_excluded(split)
        return evaluate_table(self.table[chosen], self.index, self.calibration, self.labels, protocol, point, excluded)

    def _evaluated(self, split: str, *, with_copied: bool = False) -> NDArray[np.bool_]:
        """Mask the images of a split that the model predicted and has not seen.

        A run's own validation split counts, although its epoch and calibration were chosen on it.
        """
        in_split = self._in_split(split)
        if self.seen is None or self._is_own(split):
            return in_split
        copied = in_split & self.seen.copied
        return in_split & ~self.seen.excluded | copied if with_copied else in_split & ~self.seen.excluded

    def _in_split(self, split: str) -> NDArray[np.bool_]:
        used = ~self.index["excluded"].to_numpy(bool) & ~np.isnan(self.logits).any(axis=1)
        return used if split == ALL_IMAGES else used & (self.splits == split)

    def _is_own(self, split: str) -> bool:
        return self.of_run and split == Split.VALID

    def _count_excluded(self, split: str) -> ExcludedImages:
        if self.seen is None:
            return ExcludedImages()
        if self._is_own(split):
            return ExcludedImages(0, 0, self.complete)
        return self.seen.count_excluded(self._in_split(split), complete=self.complete)


def load_predictions(folder: Path, dataset: StoredDataset, settings: Settings) -> DatasetPredictions:
    """Load the stored predictions of a model: those of the whole dataset, else those that a run has of its own splits.

    Args:
        folder: of a bundle or finished run.
    Raises:
        NotPredictedError: there are none of the dataset as it is now.
        BundleError: a file of the model is damaged.
    """
    contract = Contract.load(folder / CONTRACT_FILE)
    calibration = Calibration.load(folder / CALIBRATION_FILE, contract.labels)
    trained = find_training_dataset(folder, settings)
    own = load_split_by_id(folder) if trained is not None and trained.fingerprint == dataset.fingerprint else None
    table = read_predictions(PredictionKey.of(dataset.fingerprint, folder).path(settings))
    if table is None:
        table = None if own is None else _read_run_predictions(Run(folder))
    if table is None:
        raise NotPredictedError(
            f"There are no predictions of {dataset.id} by this model, or they are of another version of its images. "
            "Predict the dataset first."
        )
    index = dataset.index([name for name in _COLUMNS if name in dataset.columns()])
    images = load_training_images(folder, settings)
    return DatasetPredictions(
        contract=contract,
        calibration=calibration,
        index=index,
        logits=aligned_logits(table, index["id"], contract),
        splits=(index["split"] if own is None else index["id"].map(own)).fillna("").to_numpy(str),
        of_run=own is not None,
        seen=None if images is None else images.match(truncate_hashes(index["sha256"])),
        complete=images is not None and images.complete,
    )


def _read_run_predictions(run: Run) -> pd.DataFrame | None:
    """Read the predictions that a run has of its own held-out splits; None if there are none."""
    tables = []
    for split in (Split.TEST, Split.VALID):
        try:
            tables.append(run.read_table(f"predictions-{split}.parquet"))
        except RunError:
            continue
    return pd.concat(tables, ignore_index=True) if tables else None
