"""An empty dataset folder."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dataset = tmp_path / "faces"
    dataset.mkdir()
    return dataset
