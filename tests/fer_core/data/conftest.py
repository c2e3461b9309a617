from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from tests.support.synthetic_datasets import write_ferplus_like, write_synthetic_faces


@pytest.fixture(scope="module")
def shared_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared") / "faces.zip"
    write_ferplus_like(path, SyntheticFacesConfig(total=60, identities=20, seed=4))
    return path


@pytest.fixture
def archive(shared_archive: Path, tmp_path: Path) -> Path:
    return shutil.copy(shared_archive, tmp_path / "faces.zip")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_synthetic_faces(tmp_path / "synthetic", SyntheticFacesConfig(total=30, identities=10, size_px=32))
    return tmp_path / "synthetic"
