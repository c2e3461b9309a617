from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.packing import stream
from fer_core.data.packing.pack import open_dataset_images
from fer_core.data.packing.stream import StreamedImages
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.labels import label_set
from fer_core.settings import Settings
from tests.support.synthetic_datasets import write_synthetic_faces

CONTRACT = Contract(color="gray", size_px=24, normalization="unit", labels=label_set("eight").expressions)


@pytest.fixture
def dataset(tmp_path: Path, store: Settings) -> StoredDataset:
    folder = tmp_path / "faces"
    write_synthetic_faces(folder, SyntheticFacesConfig(total=40, identities=10, size_px=32))
    return import_dataset(folder, store)


def _open_stream(dataset: StoredDataset, store: Settings) -> StreamedImages:
    images = open_dataset_images(dataset, CONTRACT, store.model_copy(update={"pack_bytes_max": 0, "threads": 2})).images
    assert isinstance(images, StreamedImages)
    return images


def test_batches_arrive_in_order(dataset: StoredDataset, store: Settings) -> None:
    order = np.split(np.random.default_rng(0).permutation(40), [7, 8, 30])
    with closing(_open_stream(dataset, store)) as images:
        for _ in range(2):  # the processes serve epoch after epoch
            for rows, batch in zip(order, images.iter_batches(order), strict=True):
                np.testing.assert_array_equal(batch, images[rows])


def test_prefetching_is_limited(dataset: StoredDataset, store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_PREFETCH_BYTES", 2 * 5 * 24 * 24)
    batch_sizes: list[int] = []

    class Recorded(StreamedImages):
        def _task(self, rows):  # type: ignore[no-untyped-def]
            batch_sizes.append(len(rows))
            return super()._task(rows)

    images = _open_stream(dataset, store)
    images.__class__ = Recorded
    with closing(images):
        batches = images.iter_batches(np.split(np.arange(40), 8))
        next(batches)
        assert len(batch_sizes) == 3  # the batch that was taken, and two prefetched batches of five
        batches.close()


def test_a_missing_file_gives_zeros(dataset: StoredDataset, store: Settings) -> None:
    images = _open_stream(dataset, store)
    path = dataset.index()["path"][3]
    (dataset.source_path / path).unlink()
    assert not images[np.array([3])].any()
    assert images[np.array([4])].any()
