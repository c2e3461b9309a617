"""Images of other datasets are appended to a run's own, packed or streamed, for training only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.packing.extra_datasets import TrainingData, add_extra_datasets
from fer_core.data.packing.joined import JoinedImages
from fer_core.data.packing.pack import open_dataset_images
from fer_core.data.packing.stream import StreamedImages
from fer_core.data.splits.split import EXCLUDED
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.labels import label_set
from fer_core.settings import Settings
from tests.support.synthetic_datasets import write_synthetic_faces

CONTRACT = Contract(color="gray", size_px=24, normalization="unit", labels=label_set("eight").expressions)


def make_dataset(folder: Path, store: Settings, total: int, seed: int) -> StoredDataset:
    write_synthetic_faces(folder, SyntheticFacesConfig(total=total, identities=10, size_px=32, seed=seed))
    return import_dataset(folder, store, dataset_id=folder.name)


def open_own(dataset: StoredDataset, store: Settings, *, stream: bool) -> TrainingData:
    splits = np.array(["train"] * 20 + ["test"] * 20)
    return TrainingData(dataset.index(), splits, open_dataset_images(dataset, CONTRACT, store, stream=stream))


@pytest.mark.parametrize("stream", [False, True])
def test_images_and_rows_stay_together(tmp_path: Path, store: Settings, stream: bool) -> None:
    own, first, second = (
        make_dataset(tmp_path / name, store, total, seed)
        for seed, (name, total) in enumerate([("own", 40), ("first", 16), ("second", 24)])
    )
    excluded = first.index(["id"])["id"].iloc[2]
    first.corrections().mark(Action.EXCLUDE, [excluded])
    joined = add_extra_datasets(open_own(own, store, stream=stream), [first, second], CONTRACT, store)
    with joined.images as images:
        assert isinstance(images.images, StreamedImages if stream else JoinedImages)
        assert len(joined.index) == len(joined.splits) == len(images.images) == len(images.readable) == 80
        parts = [open_dataset_images(each, CONTRACT, store).images for each in (own, first, second)]
        expected = np.concatenate([np.asarray(part) for part in parts])
        rows = np.array([79, 0, 41, 40, 39, 55, 56])
        np.testing.assert_array_equal(images.images[rows], expected[rows])
        if stream:
            (batch,) = images.images.iter_batches([rows])
            np.testing.assert_array_equal(batch, expected[rows])
        else:
            np.testing.assert_array_equal(images.images[36:60], expected[36:60])
            assert images.images.nbytes == expected.nbytes and images.images.shape == expected.shape
    assert joined.index["id"].is_unique and joined.index["id"].iloc[40].startswith("first:")
    assert joined.splits[:40].tolist() == ["train"] * 20 + ["test"] * 20
    assert joined.splits[42] == EXCLUDED and set(joined.splits[[40, 41, *range(43, 80)]]) == {"train"}


def test_copies_of_test_images_are_left_out(tmp_path: Path, store: Settings) -> None:
    own = make_dataset(tmp_path / "own", store, 40, 0)
    again = make_dataset(tmp_path / "again", store, 40, 0)
    joined = add_extra_datasets(open_own(own, store, stream=False), [again], CONTRACT, store)
    tests = own.index()["sha256"].iloc[20:].tolist()
    left_out = joined.index["sha256"][(joined.splits == EXCLUDED)].tolist()
    assert set(tests) <= set(left_out)
