from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.index.images import decode_face
from fer_core.data.packing.pack import is_packed, open_dataset_images, pack_bytes, pack_bytes_limit, pack_images
from fer_core.data.packing.stream import StreamedImages
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.errors import CancelledError
from fer_core.labels import label_set
from fer_core.settings import Settings
from tests.support.synthetic_datasets import write_synthetic_faces

LABELS = label_set("eight").expressions
CONTRACTS = [
    Contract(color="gray", size_px=48, normalization="image", labels=LABELS),
    Contract(color="rgb", size_px=20, normalization="unit", labels=LABELS),
]


@pytest.fixture
def dataset(tmp_path: Path, store: Settings) -> StoredDataset:
    """Thirty synthetic faces; the third is unreadable."""
    folder = tmp_path / "faces"
    write_synthetic_faces(folder, SyntheticFacesConfig(total=30, identities=10, size_px=32))
    sorted(folder.rglob("*.png"))[2].write_bytes(b"no image")
    return import_dataset(folder, store)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.pack_key)
def test_packed_images_match_the_contract(contract: Contract, dataset: StoredDataset, store: Settings) -> None:
    packed = pack_images(dataset, contract, store)
    index = dataset.index()
    assert packed.images.shape == (30, contract.channels, contract.size_px, contract.size_px)
    assert packed.images.dtype == np.uint8
    np.testing.assert_array_equal(packed.readable, index["problem"] == "")
    assert int((~packed.readable).sum()) == 1
    with dataset.source(store) as source:
        for row in np.flatnonzero(packed.readable):
            pixels = decode_face(source.read(index["path"][row]))
            assert pixels is not None
            np.testing.assert_array_equal(packed.images[row], contract.resize(pixels))
    assert not packed.images[~packed.readable].any()


def test_an_existing_pack_is_used_without_opening_images(dataset: StoredDataset, store: Settings) -> None:
    first = pack_images(dataset, CONTRACTS[0], store)
    shutil.rmtree(dataset.source_path)
    second = pack_images(dataset, CONTRACTS[0].model_copy(update={"normalization": "unit"}), store)
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.readable, second.readable)


def test_packs_of_different_shapes_coexist(dataset: StoredDataset, store: Settings) -> None:
    for contract in CONTRACTS:
        pack_images(dataset, contract, store)
    assert len(list((store.cache_dir / "packs").iterdir())) == 2


def test_a_pack_is_read_only(dataset: StoredDataset, store: Settings) -> None:
    with pytest.raises(ValueError, match="read-only"):
        pack_images(dataset, CONTRACTS[0], store).images[0] = 1


def test_cancellation_leaves_no_incomplete_pack(dataset: StoredDataset, store: Settings) -> None:
    def stop(done_01: float, message: str) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        pack_images(dataset, CONTRACTS[0], store, stop)
    assert list((store.cache_dir / "packs").iterdir()) == []
    assert pack_images(dataset, CONTRACTS[0], store).readable.sum() == 29


def test_an_incomplete_pack_is_rebuilt(dataset: StoredDataset, store: Settings) -> None:
    pack_images(dataset, CONTRACTS[0], store)
    (folder,) = (store.cache_dir / "packs").iterdir()
    (folder / "pack.json").unlink()
    (folder / "images.npy").write_bytes(b"half")
    assert pack_images(dataset, CONTRACTS[0], store).images[0].any()


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.pack_key)
def test_images_are_streamed_beyond_the_size_limit(contract: Contract, dataset: StoredDataset, store: Settings) -> None:
    small = store.model_copy(update={"pack_bytes_max": pack_bytes(dataset, contract) - 1})
    opened = open_dataset_images(dataset, contract, small)
    assert isinstance(opened.images, StreamedImages)
    assert not is_packed(dataset, contract, store)
    packed = pack_images(dataset, contract, store)
    rows = np.random.default_rng(0).permutation(len(packed.images))
    np.testing.assert_array_equal(opened.images[rows], packed.images[rows])
    np.testing.assert_array_equal(opened.readable, packed.readable)
    assert opened.images.shape == packed.images.shape


def test_images_are_packed_within_the_size_limit(dataset: StoredDataset, store: Settings) -> None:
    exact = store.model_copy(update={"pack_bytes_max": pack_bytes(dataset, CONTRACTS[0])})
    opened = open_dataset_images(dataset, CONTRACTS[0], exact)
    assert isinstance(opened.images, np.memmap)
    assert opened.images.nbytes == pack_bytes(dataset, CONTRACTS[0])


def test_an_existing_pack_is_used_regardless_of_the_limit(dataset: StoredDataset, store: Settings) -> None:
    pack_images(dataset, CONTRACTS[0], store)
    no_packing = store.model_copy(update={"pack_bytes_max": 0})
    assert isinstance(open_dataset_images(dataset, CONTRACTS[0], no_packing).images, np.memmap)


def test_a_pack_uses_at_most_half_of_the_free_disk(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    assert pack_bytes_limit(store) == 500
    assert pack_bytes_limit(store.model_copy(update={"pack_bytes_max": 300})) == 300
