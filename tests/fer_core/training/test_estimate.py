from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.packing.pack import is_packed, pack_bytes, pack_images
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.errors import InputError
from fer_core.labels import label_set
from fer_core.models.catalog import model_info
from fer_core.models.registry import build_network, trainable_parameter_count
from fer_core.settings import Settings
from fer_core.system.allocator import MALLOC_SETTINGS
from fer_core.training import estimate as module
from fer_core.training.config.train_config import TrainConfig, parse_config
from fer_core.training.estimate import estimate
from fer_core.training.estimate_report import Estimate
from tests.support.synthetic_datasets import write_synthetic_faces

CONTRACT: Contract = model_info("small-resnet").contract(label_set("eight"))


@pytest.fixture
def dataset(tmp_path: Path, store: Settings) -> StoredDataset:
    folder = tmp_path / "faces"
    write_synthetic_faces(folder, SyntheticFacesConfig(total=120, identities=20, size_px=48))
    return import_dataset(folder, store, dataset_id="few")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time the minimum of three batches."""
    monkeypatch.setattr(module, "_TIMED_S", 0.0)


def _config(**changes: object) -> TrainConfig:
    base = {"dataset": "few", "epochs": 3, "batch_size": 8, "model": {"name": "small-resnet", "width": 4}}
    return parse_config(base | {"split": {"kind": "seeded"}} | changes)


def test_an_estimate_counts_parameters_images_and_memory(dataset: StoredDataset, store: Settings) -> None:
    result = estimate(_config(), dataset, store)
    network = build_network("small-resnet", 8, channels=1, width=4)
    assert result.parameters == result.learned == trainable_parameter_count(network)
    assert result.multiply_adds > result.parameters
    assert result.train_images == result.batches * 8
    assert 0 < result.valid_images < result.train_images <= 120
    assert 10_000_000 < result.memory_bytes < result.free_bytes
    assert result.fits
    assert result.timed_batches == 3


def test_times_follow_from_the_timed_batches(dataset: StoredDataset, store: Settings) -> None:
    result = estimate(_config(), dataset, store)
    assert 0 < result.batch_s.low <= result.batch_s.middle <= result.batch_s.high
    assert result.images_per_s == pytest.approx(8 / result.batch_s.middle)
    assert result.epoch_s.low > result.batches * result.batch_s.low  # validation is added
    assert result.run_s.high == pytest.approx(3 * result.epoch_s.high + result.pack_s)


def test_an_estimate_stores_nothing(dataset: StoredDataset, store: Settings) -> None:
    before = sorted(store.store.rglob("*"))
    result = estimate(_config(), dataset, store)
    assert sorted(store.store.rglob("*")) == before
    assert result.packed == "first"
    assert result.pack_s > 0
    assert result.pack_bytes == pack_bytes(dataset, CONTRACT) == 120 * 48 * 48


def test_an_estimate_tells_how_images_are_loaded(dataset: StoredDataset, store: Settings) -> None:
    streamed = estimate(_config(), dataset, store.model_copy(update={"pack_bytes_max": 0}))
    assert (streamed.packed, streamed.pack_bytes, streamed.pack_s) == ("streamed", 0, 0.0)
    pack_images(dataset, CONTRACT, store)
    assert is_packed(dataset, CONTRACT, store)
    packed = estimate(_config(), dataset, store)
    assert (packed.packed, packed.pack_s) == ("already", 0.0)


def test_a_config_that_training_refuses_is_refused(dataset: StoredDataset, store: Settings) -> None:
    with pytest.raises(InputError, match="fewer than one batch"):
        estimate(_config(batch_size=4096), dataset, store)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="The thresholds are glibc's.")
def test_the_command_restarts_with_allocator_settings_and_prints_json(
    dataset: StoredDataset, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in MALLOC_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FERSCOPE_HOME", str(store.home))
    changes = ["dataset=few", "batch_size=8", "model.width=4", "split.kind=seeded"]
    command = [sys.executable, "-m", "fer_core", "train", "--config", "small-soft", "--estimate", "--json"]
    for change in changes:
        command += ["--set", change]
    process = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    result = Estimate.from_json(process.stdout)
    assert result.batches > 0
    assert result.batch_s.low <= result.batch_s.high
    assert not list(store.runs_dir.glob("*"))
