"""What a run would learn from: the training part as the engine makes it, its classes, and what a remedy does to them.

The engine draws images by their label and weighs by the sums of their targets, which votes spread over several
expressions; both are counted here on the rows that a run would use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.imbalance.counts import category_codes, excluded_rows
from fer_core.data.imbalance.rebalancing import Rebalancing, class_weights, logit_offsets, preview_epoch
from fer_core.data.record import Split
from fer_core.data.splits.report import SPLIT_COLUMNS
from fer_core.data.splits.split import EXCLUDED, SPLITS, make_split
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.labels import LabelSet, label_set
from fer_core.settings import settings
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.targets import build_targets, to_class_indices
from fer_ui.split_query_params import split_from_query, split_to_query

Targets = Literal["votes", "label"]


@dataclass(frozen=True, slots=True)
class TrainingSplit:
    """The images that a run learns from, and those that it does not.

    Attributes:
        labels: what the model tells apart, K expressions.
        sizes: images a label, integers, shape (K,).
        unlabeled: images without a label that teach all the same, by their votes; each epoch draws each of them
            once, whatever the remedy.
        taught: the sums of the targets, shape (K + 1, K), a row a label; the last row is of the images without one.
        left_out: images that the split keeps out of every part, without the excluded ones.
        excluded: images that the overlay takes out of use.
        ambiguous: training images of which nothing is learned as they are marked as ambiguous.
        unreadable: training images that can't be opened.
        silent: other training images whose label or votes teach nothing.
    """

    labels: LabelSet
    sizes: NDArray[np.int64]
    unlabeled: int
    taught: NDArray[np.float64]
    left_out: int
    excluded: int
    ambiguous: int
    unreadable: int
    silent: int

    @property
    def images(self) -> int:
        """Images that an epoch without a remedy draws."""
        return int(self.sizes.sum()) + self.unlabeled

    @property
    def soft(self) -> bool:
        """Whether some target is shared between expressions, as votes are."""
        return bool(self.taught[-1].any() or (self.taught[:-1] - np.diag(self.taught.diagonal())).any())

    def under(self, rebalancing: Rebalancing) -> pd.DataFrame:
        """What an epoch would be with a remedy: `rebalance.preview`, weighed as training weighs.

        `weight`, `offset` and `effective_share` are of the targets instead of the labels: of the images drawn of a
        class each teaches the mean of its class's targets, and images without a label teach beside them.
        """
        table = preview_epoch(dict(zip(self.labels, self.sizes.tolist(), strict=True)), rebalancing)
        sums = self.taught.sum(0)
        weight = class_weights(sums, rebalancing.weights, rebalancing.beta)
        counted = (self.taught[-1] + table["repeats"].to_numpy(float) @ self.taught[:-1]) * weight
        return table.assign(
            weight=weight,
            effective_share=counted / max(float(counted.sum()), np.finfo(float).tiny),
            offset=logit_offsets(sums, rebalancing.logit_tau),
        )


def load_training_split(dataset: StoredDataset, config: TrainConfig) -> TrainingSplit:
    """What a run of `config` on the dataset, with its corrections of now, would learn from.

    Raises:
        ConfigError: the split leaves nothing to train on or to test with.
    """
    version = dataset.corrections().version
    split = split_to_query(config.split)
    return _counted(
        dataset.id, dataset.fingerprint, version, split, config.labels, config.targets, config.exclude_ambiguous
    )


def count_training_split(
    index: pd.DataFrame,
    splits: NDArray[np.integer],
    labels: LabelSet,
    targets: Targets,
    *,
    exclude_ambiguous: bool = False,
) -> TrainingSplit:
    """Count what `experiment.run_experiment` would train on.

    Args:
        index: with `label`, `problem`, the votes where there are any, and what the overlay marks.
        splits: the part of each row, as a place in `split.SPLITS`.
    """
    train = splits == SPLITS.index(Split.TRAIN)
    readable = (index["problem"] == "").fillna(True).to_numpy(bool)
    used = index.iloc[np.flatnonzero(train & readable)]
    taught = build_targets(used, labels, targets, exclude_ambiguous=exclude_ambiguous)
    codes = to_class_indices(used["label"], labels)
    teaching = taught.sum(1) > 0
    ambiguous = used["ambiguous"].to_numpy(bool) & exclude_ambiguous
    place = np.where(codes < 0, len(labels), codes)[teaching]
    sizes = np.bincount(place, minlength=len(labels) + 1)
    excluded = excluded_rows(index)
    return TrainingSplit(
        labels=labels,
        sizes=sizes[:-1],
        unlabeled=int(sizes[-1]),
        taught=np.stack([np.bincount(place, column[teaching], len(sizes)) for column in taught.T], axis=1).astype(
            float
        ),
        left_out=int(((splits == SPLITS.index(EXCLUDED)) & ~excluded).sum()),
        excluded=int(excluded.sum()),
        ambiguous=int(ambiguous.sum()),
        unreadable=int((train & ~readable).sum()),
        silent=int((~teaching & ~ambiguous).sum()),
    )


@st.cache_data(show_spinner="Counting what a run would learn from", max_entries=32)
def _counted(
    dataset_id: str,
    fingerprint: str,
    version: int,
    split: str,
    labels: str,
    targets: Targets,
    exclude_ambiguous: bool,
) -> TrainingSplit:
    splits = _parts(dataset_id, fingerprint, version, split)
    index = open_dataset(dataset_id, settings()).index(["id", "label", "problem", *VOTE_COLUMNS], version)
    return count_training_split(index, splits, label_set(labels), targets, exclude_ambiguous=exclude_ambiguous)


@st.cache_resource(show_spinner="Dividing the images as a run would", max_entries=4)
def _parts(dataset_id: str, fingerprint: str, version: int, split: str) -> NDArray[np.integer]:
    """The part of each row, as a place in `SPLITS`; shared, so not to be changed."""
    del fingerprint  # part of the key: an import under the same id is another dataset
    dataset = open_dataset(dataset_id, settings())
    config = split_from_query(split)
    assert config is not None, f"{split!r} was written by split_to_address"
    index = dataset.index(SPLIT_COLUMNS, version)
    splits = make_split(index, config, find_groups(index, dataset.pairs()))
    return category_codes(splits, SPLITS).astype(np.int8)
