"""The training split of a run, its classes, and the effect of rebalancing on them.

Sampling uses labels and loss weights use the sums of the targets, which votes spread over several expressions; both are
counted here on the rows that a run uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.imbalance.counts import category_codes, excluded_rows
from fer_core.data.imbalance.rebalancing import Rebalancing, class_weights, preview_epoch
from fer_core.data.record import Split
from fer_core.data.splits.split import EXCLUDED, SPLITS, SplitConfig
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.labels import LabelSet, label_set
from fer_core.logit_adjustment import logit_offsets
from fer_core.settings import settings
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.targets import build_targets, to_class_indices
from fer_ui.datasets.reports import load_split

Targets = Literal["votes", "label"]


@dataclass(frozen=True, slots=True)
class TrainingSplit:
    """The images that a run trains on, and those that it skips.

    Attributes:
        labels: the model's K classes.
        sizes: images of each label, integers, shape (K,).
        unlabeled: images without a label but with votes; each epoch has each of them once, whatever the rebalancing.
        target_sums: the sums of the targets, shape (K + 1, K), one row for each label and a last one for images
            without one.
        without_split: images in no split, except excluded ones.
        excluded: images that corrections exclude.
        ambiguous: training images that are skipped because they are marked as ambiguous.
        unreadable: training images that can't be opened.
        without_target: other training images without a usable label or votes.
    """

    labels: LabelSet
    sizes: NDArray[np.int64]
    unlabeled: int
    target_sums: NDArray[np.float64]
    without_split: int
    excluded: int
    ambiguous: int
    unreadable: int
    without_target: int

    @property
    def images(self) -> int:
        """The number of images in an epoch without rebalancing."""
        return int(self.sizes.sum()) + self.unlabeled

    @property
    def has_soft_targets(self) -> bool:
        """Whether some target is spread over several expressions, as votes are."""
        return bool(self.target_sums[-1].any() or (self.target_sums[:-1] - np.diag(self.target_sums.diagonal())).any())

    def epoch_table(self, rebalancing: Rebalancing) -> pd.DataFrame:
        """Compute an epoch under a rebalancing: `rebalancing.preview_epoch` with the weights of training.

        `weight`, `offset` and `effective_share` are based on targets instead of labels: each sample of a class has the
        mean target of that class, and images without a label are added.
        """
        table = preview_epoch(dict(zip(self.labels, self.sizes.tolist(), strict=True)), rebalancing)
        sums = self.target_sums.sum(0)
        weight = class_weights(sums, rebalancing.weights, rebalancing.beta)
        weighted = (self.target_sums[-1] + table["repeats"].to_numpy(float) @ self.target_sums[:-1]) * weight
        return table.assign(
            weight=weight,
            effective_share=weighted / max(float(weighted.sum()), np.finfo(float).tiny),
            offset=logit_offsets(sums, rebalancing.logit_tau),
        )


def load_training_split(dataset: StoredDataset, config: TrainConfig) -> TrainingSplit:
    """Load the images that a run of `config` on the dataset, with its current corrections, trains on.

    Raises:
        ConfigError: the split leaves nothing to train on or to test with.
    """
    version = dataset.corrections().version
    return _count_training_split(
        dataset.id, dataset.fingerprint, version, config.split, config.labels, config.targets, config.exclude_ambiguous
    )


def count_training_split(
    index: pd.DataFrame,
    splits: NDArray[np.integer],
    labels: LabelSet,
    targets: Targets,
    *,
    exclude_ambiguous: bool = False,
) -> TrainingSplit:
    """Count the images that `experiment.run_experiment` trains on.

    Args:
        index: with `label`, `problem`, the votes where there are any, and the columns of corrections.
        splits: the split of each row, as an index into `split.SPLITS`.
    """
    train = splits == SPLITS.index(Split.TRAIN)
    readable = (index["problem"] == "").fillna(True).to_numpy(bool)
    used = index.iloc[np.flatnonzero(train & readable)]
    target_sums = build_targets(used, labels, targets, exclude_ambiguous=exclude_ambiguous)
    codes = to_class_indices(used["label"], labels)
    usable = target_sums.sum(1) > 0
    ambiguous = used["ambiguous"].to_numpy(bool) & exclude_ambiguous
    classes = np.where(codes < 0, len(labels), codes)[usable]
    sizes = np.bincount(classes, minlength=len(labels) + 1)
    excluded = excluded_rows(index)
    return TrainingSplit(
        labels=labels,
        sizes=sizes[:-1],
        unlabeled=int(sizes[-1]),
        target_sums=np.stack(
            [np.bincount(classes, column[usable], len(sizes)) for column in target_sums.T], axis=1
        ).astype(float),
        without_split=int(((splits == SPLITS.index(EXCLUDED)) & ~excluded).sum()),
        excluded=int(excluded.sum()),
        ambiguous=int(ambiguous.sum()),
        unreadable=int((train & ~readable).sum()),
        without_target=int((~usable & ~ambiguous).sum()),
    )


@st.cache_data(show_spinner="Counting the training images", max_entries=32)
def _count_training_split(
    dataset_id: str,
    fingerprint: str,
    version: int,
    split: SplitConfig,
    labels: str,
    targets: Targets,
    exclude_ambiguous: bool,
) -> TrainingSplit:
    del fingerprint  # part of the key: an import under the same id is another dataset
    dataset = open_dataset(dataset_id, settings())
    splits = category_codes(load_split(dataset, split).splits, SPLITS)
    index = dataset.index(["id", "label", "problem", *VOTE_COLUMNS], version)
    return count_training_split(index, splits, label_set(labels), targets, exclude_ambiguous=exclude_ambiguous)
