"""Fixtures for the views of datasets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.settings import Settings
from fer_ui.resources import job_store
from tests.fer_ui.datasets.small_dataset import import_small


@pytest.fixture
def small(store: Settings, tmp_path: Path) -> Iterator[StoredDataset]:
    """A stored dataset of a few tiny images, with empty caches."""
    st.cache_data.clear()
    st.cache_resource.clear()
    yield import_small(tmp_path / "small", store)
    job_store().dispose()
    st.cache_data.clear()
    st.cache_resource.clear()
