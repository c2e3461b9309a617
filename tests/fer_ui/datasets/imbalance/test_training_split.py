"""The preview of an epoch matches the training set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
import torch

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.duplicates.groups import find_groups
from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing, preview_epoch
from fer_core.data.packing.pack import DatasetImages
from fer_core.data.record import Split
from fer_core.data.splits.split import SPLITS, SplitConfig, make_split
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.labels import Expression, label_set
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig
from fer_core.training.data_loader import TrainingSet, build_training_set, epoch_indices, epoch_size
from fer_core.training.losses import TrainingLoss
from fer_ui.datasets.imbalance.training_split import count_training_split, load_training_split
from tests.support.synthetic_datasets import write_ferplus_like

EIGHT = label_set("eight")
REBALANCINGS = [strategy.rebalancing for strategy in STRATEGIES.values()] + [
    Rebalancing(sampling="over", weights="inverse", logit_tau=0.5)
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faces") / "faces.zip"
    profile = dict.fromkeys(Expression, 1) | {Expression.NEUTRAL: 6, Expression.HAPPINESS: 4}
    write_ferplus_like(path, SyntheticFacesConfig(total=320, identities=60, profile=profile))
    return path


@pytest.fixture
def dataset(store: Settings, archive: Path) -> StoredDataset:
    st.cache_data.clear()
    st.cache_resource.clear()
    dataset = import_dataset(archive, store, dataset_id="faces")
    ids = dataset.raw_index(["id"])["id"]
    dataset.corrections().mark(Action.EXCLUDE, ids[:20], "blurred")
    dataset.corrections().mark(Action.AMBIGUOUS, ids[20:50])
    dataset.corrections().mark(Action.RELABEL, ids[50:60], label="fear")
    return dataset


def _training_set(dataset: StoredDataset, config: TrainConfig) -> TrainingSet:
    """Build the training set of a run."""
    index = dataset.index()
    splits = make_split(index, config.split, find_groups(index, dataset.pairs())).to_numpy(str)
    n = len(index)
    return build_training_set(
        index, splits, DatasetImages(np.zeros((n, 1, 2, 2), np.uint8), np.ones(n, bool)), config, EIGHT
    )


@pytest.mark.parametrize("targets", ["votes", "label"])
def test_the_preview_matches_training(dataset: StoredDataset, targets: str) -> None:
    config = TrainConfig(dataset="faces", targets=targets, exclude_ambiguous=True)
    data, split = _training_set(dataset, config), load_training_split(dataset, config)
    assert split.images == len(data.train)
    for rebalancing in REBALANCINGS:
        _compare(split.epoch_table(rebalancing), split.unlabeled, rebalancing, data)


def _compare(table: pd.DataFrame, unlabeled: int, rebalancing: Rebalancing, data: TrainingSet) -> None:
    """Compare with the samples and weights of the engine."""
    class_indices = data.class_indices[data.train]
    assert table["samples"].sum() + unlabeled == epoch_size(class_indices, 8, rebalancing.sampling)
    loss = TrainingLoss.from_config(rebalancing, data.targets[data.train], torch.device("cpu"))
    weights = np.ones(8) if loss.weights is None else loss.weights.numpy()
    offsets = np.zeros(8) if loss.offsets is None else loss.offsets.numpy()
    np.testing.assert_allclose(table["weight"], weights, rtol=1e-4)
    np.testing.assert_allclose(table["offset"], offsets, rtol=1e-4, atol=1e-6)
    generator = torch.Generator().manual_seed(0)
    epochs = [epoch_indices(data.train, class_indices, 8, rebalancing.sampling, generator) for _ in range(60)]
    weighted_counts = data.targets[np.concatenate(epochs)].sum(0) * weights
    np.testing.assert_allclose(table["effective_share"], weighted_counts / weighted_counts.sum(), atol=0.01)
    samples = data.class_indices[epochs[0]]
    assert table["samples"].tolist() == np.bincount(samples[samples >= 0], minlength=8).tolist()


def test_without_votes_the_preview_matches_preview_epoch(dataset: StoredDataset) -> None:
    split = load_training_split(dataset, TrainConfig(dataset="faces", targets="label"))
    assert not split.has_soft_targets
    for rebalancing in REBALANCINGS:
        sizes = dict(zip(Expression, split.sizes.tolist(), strict=True))
        preview = preview_epoch(sizes, rebalancing)
        pd.testing.assert_frame_equal(split.epoch_table(rebalancing), preview, check_dtype=False)


def test_skipped_images_are_counted_once(dataset: StoredDataset) -> None:
    config = TrainConfig(dataset="faces", exclude_ambiguous=True)
    index, split = dataset.index(), load_training_split(dataset, config)
    splits = make_split(index, config.split, find_groups(index, dataset.pairs()))
    evaluated = int(splits.isin([str(Split.VALID), str(Split.TEST)]).sum())
    assert split.excluded == 20
    assert split.ambiguous == int((index["ambiguous"] & (splits == Split.TRAIN)).sum()) > 0
    total = (
        split.images + split.without_split + split.excluded + split.ambiguous + split.unreadable + split.without_target
    )
    assert total + evaluated == len(index)
    assert load_training_split(dataset, config.model_copy(update={"exclude_ambiguous": False})).images > split.images


def test_another_fold_has_other_images(dataset: StoredDataset) -> None:
    config = TrainConfig(dataset="faces")
    folds = [
        load_training_split(dataset, config.model_copy(update={"split": SplitConfig(kind="kfold", folds=4, fold=fold)}))
        for fold in range(4)
    ]
    assert len({tuple(split.sizes) for split in folds}) > 1
    assert all(split.images > 0 for split in folds)


def test_a_correction_takes_effect_at_once(dataset: StoredDataset) -> None:
    config = TrainConfig(dataset="faces")
    original = load_training_split(dataset, config)
    index = dataset.index(["id", "split"])
    dataset.corrections().mark(Action.EXCLUDE, index.loc[index["split"] == "train", "id"][60:100], "blurred")
    assert load_training_split(dataset, config).images < original.images


def test_images_without_a_label_count_by_their_votes() -> None:
    votes = np.zeros((4, 10), np.int16)
    votes[0, 0], votes[1, 1] = 10, 10
    votes[2, :2] = 5  # a tie
    votes[3, 8] = 10  # unknown only, no expression
    index = pd.DataFrame({"label": pd.array(["neutral", "happiness", None, None], "string"), "problem": [""] * 4})
    index[list(VOTE_COLUMNS)] = votes
    index[["excluded", "ambiguous", "relabeled"]] = False
    split = count_training_split(index, np.full(4, SPLITS.index(Split.TRAIN)), EIGHT, "votes")
    assert split.sizes[:2].tolist() == [1, 1]
    assert (split.unlabeled, split.without_target, split.images) == (1, 1, 3)
    assert split.has_soft_targets
    np.testing.assert_allclose(split.epoch_table(Rebalancing())["effective_share"][:2], [0.5, 0.5])
    from_labels = count_training_split(index, np.full(4, SPLITS.index(Split.TRAIN)), EIGHT, "label")
    assert (from_labels.unlabeled, from_labels.without_target, from_labels.has_soft_targets) == (0, 2, False)


def test_a_split_without_images_has_no_shares() -> None:
    index = pd.DataFrame({"label": pd.array([None], "string"), "problem": ["broken"], "ambiguous": False})
    split = count_training_split(index, np.zeros(1, np.int64), EIGHT, "label")
    assert (split.images, split.unreadable) == (0, 1)
    assert not split.epoch_table(Rebalancing(sampling="over", weights="inverse", logit_tau=1))["effective_share"].any()
