from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fer_core.models.catalog import WeightsFile
from fer_core.models.weights_cache import find_weights, hub_cache
from fer_core.settings import Settings

WEIGHTS = WeightsFile("tiny-0123abcd.pth", 0.001)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def write_weights(folder: Path, size: int = 1_049) -> Path:
    folder.mkdir(parents=True)
    path = folder / WEIGHTS.name
    path.write_bytes(bytes(size))
    return path


def test_the_cache_module_loads_without_torch() -> None:
    code = "import fer_core.models.weights_cache, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout.strip() == "False"


def test_the_cache_folder_is_that_of_torch_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert hub_cache() == Path(torch.hub.get_dir()) / "checkpoints"
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert hub_cache() == Path(torch.hub.get_dir()) / "checkpoints"


def test_the_store_takes_precedence_over_the_cache(store: Settings) -> None:
    assert find_weights(WEIGHTS, store) is None
    cached = write_weights(hub_cache())
    assert find_weights(WEIGHTS, store) == cached
    stored = write_weights(store.pretrained_dir)
    assert find_weights(WEIGHTS, store) == stored


def test_a_truncated_file_is_ignored(store: Settings) -> None:
    write_weights(store.pretrained_dir, 900)
    assert find_weights(WEIGHTS, store) is None
