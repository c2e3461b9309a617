"""The preview counts what the engine trains on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
import torch

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.pack import DatasetImages
from fer_core.data.rebalance import NAMED_REMEDIES, Remedy, preview
from fer_core.data.record import Split
from fer_core.data.split import PARTS, SplitConfig, make_split
from fer_core.data.synthetic import DrawnFacesRecipe, write_ferplus_like
from fer_core.data.ties import ties_of
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.labels import Expression, label_set
from fer_core.settings import Settings
from fer_core.training.batches import TrainingData, training_data
from fer_core.training.config import TrainConfig
from fer_core.training.losses import TrainingLoss
from fer_core.training.sampling import epoch_rows, epoch_size
from fer_ui.datasets.training_part import count_training_part, training_part

EIGHT = label_set("eight")
REMEDIES = [each.remedy for each in NAMED_REMEDIES.values()] + [
    Remedy(sampling="over", weights="inverse", logit_tau=0.5)
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn") / "faces.zip"
    profile = dict.fromkeys(Expression, 1) | {Expression.NEUTRAL: 6, Expression.HAPPINESS: 4}
    write_ferplus_like(path, DrawnFacesRecipe(total=320, identities=60, profile=profile))
    return path


@pytest.fixture
def dataset(store: Settings, archive: Path) -> StoredDataset:
    st.cache_data.clear()
    st.cache_resource.clear()
    dataset = import_dataset(archive, store, dataset_id="drawn")
    ids = dataset.raw_index(["id"])["id"]
    dataset.overlay().exclude(ids[:20], "blurred")
    dataset.overlay().dispute(ids[20:50])
    dataset.overlay().relabel(ids[50:60], "fear")
    return dataset


def _engine(dataset: StoredDataset, config: TrainConfig) -> TrainingData:
    """What a run would hand to its trainer."""
    index = dataset.index()
    parts = make_split(index, config.split, ties_of(index, dataset.pairs())).to_numpy(str)
    n = len(index)
    return training_data(index, parts, DatasetImages(np.zeros((n, 1, 2, 2), np.uint8), np.ones(n, bool)), config, EIGHT)


@pytest.mark.parametrize("targets", ["votes", "label"])
def test_a_remedy_does_in_the_preview_what_it_does_in_training(dataset: StoredDataset, targets: str) -> None:
    config = TrainConfig(dataset="drawn", targets=targets, leave_out_disputed=True)
    data, part = _engine(dataset, config), training_part(dataset, config)
    assert part.images == len(data.train)
    for remedy in REMEDIES:
        _compare(part.under(remedy), part.unlabelled, remedy, data)


def _compare(table: pd.DataFrame, unlabelled: int, remedy: Remedy, data: TrainingData) -> None:
    """With what the engine draws and weighs."""
    codes = data.codes[data.train]
    assert table["drawn"].sum() + unlabelled == epoch_size(codes, 8, remedy.sampling)
    loss = TrainingLoss.of(remedy, data.targets[data.train], torch.device("cpu"))
    weights = np.ones(8) if loss.weights is None else loss.weights.numpy()
    offsets = np.zeros(8) if loss.offsets is None else loss.offsets.numpy()
    np.testing.assert_allclose(table["weight"], weights, rtol=1e-4)
    np.testing.assert_allclose(table["offset"], offsets, rtol=1e-4, atol=1e-6)
    chance = torch.Generator().manual_seed(0)
    epochs = [epoch_rows(data.train, codes, 8, remedy.sampling, chance) for _ in range(60)]
    counted = data.targets[np.concatenate(epochs)].sum(0) * weights
    np.testing.assert_allclose(table["effective_share"], counted / counted.sum(), atol=0.01)
    drawn = data.codes[epochs[0]]
    assert table["drawn"].tolist() == np.bincount(drawn[drawn >= 0], minlength=8).tolist()


def test_labels_alone_give_the_engines_own_preview(dataset: StoredDataset) -> None:
    part = training_part(dataset, TrainConfig(dataset="drawn", targets="label"))
    assert not part.soft
    for remedy in REMEDIES:
        sizes = dict(zip(Expression, part.sizes.tolist(), strict=True))
        pd.testing.assert_frame_equal(part.under(remedy), preview(sizes, remedy), check_dtype=False)


def test_what_is_kept_out_is_counted_once(dataset: StoredDataset) -> None:
    config = TrainConfig(dataset="drawn", leave_out_disputed=True)
    index, part = dataset.index(), training_part(dataset, config)
    parts = make_split(index, config.split, ties_of(index, dataset.pairs()))
    judged = int(parts.isin([str(Split.VALID), str(Split.TEST)]).sum())
    assert part.excluded == 20
    assert part.disputed == int((index["disputed"] & (parts == Split.TRAIN)).sum()) > 0
    said = part.images + part.left_out + part.excluded + part.disputed + part.unreadable + part.silent
    assert said + judged == len(index)
    assert training_part(dataset, config.model_copy(update={"leave_out_disputed": False})).images > part.images


def test_another_split_is_another_part(dataset: StoredDataset) -> None:
    config = TrainConfig(dataset="drawn")
    folds = [
        training_part(dataset, config.model_copy(update={"split": SplitConfig(kind="kfold", folds=4, fold=fold)}))
        for fold in range(4)
    ]
    assert len({tuple(part.sizes) for part in folds}) > 1
    assert all(part.images > 0 for part in folds)


def test_a_correction_is_seen_at_once(dataset: StoredDataset) -> None:
    config = TrainConfig(dataset="drawn")
    before = training_part(dataset, config)
    train = dataset.index(["id", "split"])
    dataset.overlay().exclude(train.loc[train["split"] == "train", "id"][60:100], "blurred")
    assert training_part(dataset, config).images < before.images


def test_images_without_a_label_teach_by_their_votes() -> None:
    votes = np.zeros((4, 10), np.int16)
    votes[0, 0], votes[1, 1] = 10, 10
    votes[2, :2] = 5  # a tie
    votes[3, 8] = 10  # unknown: nobody names an expression
    index = pd.DataFrame({"label": pd.array(["neutral", "happiness", None, None], "string"), "problem": [""] * 4})
    index[list(VOTE_COLUMNS)] = votes
    index[["excluded", "disputed", "relabelled"]] = False
    part = count_training_part(index, np.full(4, PARTS.index(Split.TRAIN)), EIGHT, "votes")
    assert part.sizes[:2].tolist() == [1, 1]
    assert (part.unlabelled, part.silent, part.images) == (1, 1, 3)
    assert part.soft
    np.testing.assert_allclose(part.under(Remedy())["effective_share"][:2], [0.5, 0.5])
    alone = count_training_part(index, np.full(4, PARTS.index(Split.TRAIN)), EIGHT, "label")
    assert (alone.unlabelled, alone.silent, alone.soft) == (0, 2, False)


def test_a_part_without_images_has_no_shares() -> None:
    index = pd.DataFrame({"label": pd.array([None], "string"), "problem": ["broken"], "disputed": False})
    part = count_training_part(index, np.zeros(1, np.int64), EIGHT, "label")
    assert (part.images, part.unreadable) == (0, 1)
    assert not part.under(Remedy(sampling="over", weights="inverse", logit_tau=1))["effective_share"].any()
