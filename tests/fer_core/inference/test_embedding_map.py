"""Embedding maps: every readable image once, the same each time, resumable, and gone with the dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.data.catalog import StoredDataset, delete_dataset
from fer_core.errors import CancelledError, InputError
from fer_core.inference import embedding_map as module
from fer_core.inference.embedding_map import compute_map, map_path, read_map, reduce_to_map
from fer_core.inference.network_features import FeatureNetwork
from fer_core.settings import Settings
from tests.support.faulty_dataset import UNREADABLE, N, import_faulty


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> StoredDataset:
    return import_faulty(tmp_path / "faces", store)


@pytest.fixture
def network() -> FeatureNetwork:
    return FeatureNetwork.open(SHIPPED_FOLDER)


@pytest.fixture
def first_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first two numbers of an embedding instead of UMAP, whose compilation takes long."""
    monkeypatch.setattr(module, "reduce_to_map", lambda embeddings: embeddings[:, :2])
    monkeypatch.setattr(module, "_IMAGES_MIN", 3)


def test_every_readable_image_is_mapped_once(
    dataset: StoredDataset, network: FeatureNetwork, store: Settings, first_two: None
) -> None:
    path = map_path(dataset.fingerprint, SHIPPED_FOLDER, store)
    table = compute_map(network, dataset, path, store)
    ids = dataset.raw_index(["id"])["id"]
    assert table["id"].tolist() == [name for name in ids if name != UNREADABLE] and len(table) == N - 1
    stored = read_map(path)
    assert stored is not None and stored["x"].tolist() == table["x"].tolist()
    assert not list(path.parent.glob("*.parts"))
    delete_dataset(dataset.id, store)
    assert not path.exists()


def test_a_stopped_computation_resumes(
    dataset: StoredDataset, network: FeatureNetwork, store: Settings, first_two: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHUNK_ROWS", 2)
    path = map_path(dataset.fingerprint, SHIPPED_FOLDER, store)

    def cancel(done_01: float, message: str) -> None:
        if message.startswith("Embedded 4"):
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        compute_map(network, dataset, path, store, cancel)
    assert not path.exists() and len(list(path.with_suffix(".parts").iterdir())) == 2
    ran: list[int] = []
    monkeypatch.setattr(network, "run", lambda faces, run=network.run: ran.append(len(faces)) or run(faces))
    assert len(compute_map(network, dataset, path, store)) == N - 1
    assert sum(ran) == N - 1 - 4


def test_larger_datasets_are_sampled_the_same_each_time(
    dataset: StoredDataset, network: FeatureNetwork, store: Settings, first_two: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IMAGES_MAX", 4)
    paths = [store.cache_dir / "embeddings" / f"{name}.parquet" for name in "ab"]
    first, second = (compute_map(network, dataset, path, store)["id"].tolist() for path in paths)
    assert len(first) == 4 and first == second


def test_too_few_images_are_refused(
    dataset: StoredDataset, network: FeatureNetwork, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IMAGES_MIN", 1000)
    with pytest.raises(InputError, match=r"needs 1000 readable images; .* has \d+"):
        compute_map(network, dataset, map_path(dataset.fingerprint, SHIPPED_FOLDER, store), store)


@pytest.mark.timeout(240)
def test_umap_keeps_groups_apart_and_gives_the_same_map_again() -> None:
    rng = np.random.default_rng(0)
    centers = np.eye(3, 8) * 10
    groups = np.repeat(np.arange(3), 30)
    embeddings = (centers[groups] + rng.normal(size=(90, 8))).astype(np.float32)
    places = reduce_to_map(embeddings)
    assert places.min() == 0 and places.max() == pytest.approx(1)
    assert (reduce_to_map(embeddings) == places).all()
    nearest = np.linalg.norm(places[:, None] - places[None], axis=2) + 10 * np.eye(90)
    assert (groups[nearest.argmin(1)] == groups).mean() > 0.95
