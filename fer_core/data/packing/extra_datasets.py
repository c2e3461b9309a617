"""Other datasets that a run is trained on beside its own; it is never validated or tested on their images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset
from fer_core.data.duplicates.duplicates import PAIR_COLUMNS, duplicate_pairs, paired_with
from fer_core.data.packing.pack import DatasetImages, open_dataset_images
from fer_core.data.record import Split
from fer_core.data.splits.split import EXCLUDED
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.settings import Settings


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The index, the split of each row, and the images, row by row."""

    index: pd.DataFrame
    splits: NDArray[np.str_]
    images: DatasetImages


def data_versions(datasets: Sequence[StoredDataset]) -> dict[str, str]:
    """Describe the images and labels of datasets as they are now, by id."""
    return {each.id: f"{each.fingerprint} {each.corrections().fingerprint()}" for each in datasets}


def add_extra_datasets(
    own: TrainingData, datasets: Sequence[StoredDataset], contract: Contract, settings: Settings
) -> TrainingData:
    """Append other datasets to a run's own data, for training only.

    Their images that are copies of a validation or test image of the run, or excluded, are not used. Ids begin with the
    dataset's.
    """
    for dataset in datasets:
        index = dataset.index()
        images = open_dataset_images(dataset, contract, settings, stream=own.images.is_streamed)
        used = ~(index["excluded"].to_numpy(bool) | _copies_of_held_out(own, index))
        splits = np.where(used, str(Split.TRAIN), EXCLUDED)
        index = index.assign(id=f"{dataset.id}:" + index["id"].astype(str)).reindex(columns=own.index.columns)
        votes = [name for name in VOTE_COLUMNS if name in index]
        index[votes] = index[votes].fillna(0)
        own = TrainingData(
            pd.concat([own.index, index], ignore_index=True),
            np.concatenate([own.splits, splits]),
            own.images.join(images),
        )
    return own


def _copies_of_held_out(own: TrainingData, index: pd.DataFrame) -> NDArray[np.bool_]:
    """Mask the rows of another dataset's index that are copies of a validation or test image."""
    columns = [name for name in PAIR_COLUMNS if name in own.index and name in index]
    held_out = own.index.loc[np.isin(own.splits, [Split.VALID, Split.TEST]), columns]
    # Augmented copies are searched for test images: here those that are new.
    both = pd.concat([held_out.assign(split=None), index[columns].assign(split=str(Split.TEST))], ignore_index=True)
    found = paired_with(duplicate_pairs(both), np.arange(len(both)) < len(held_out))
    return found[len(held_out) :]
