"""A store with synthetic faces that have votes, for the form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.labels import Expression
from fer_core.settings import Settings
from tests.fer_ui.training.form.form_page import DATASET, Show, open_form
from tests.support.synthetic_datasets import write_ferplus_like


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn") / "faces.zip"
    profile = dict.fromkeys(Expression, 1) | {Expression.NEUTRAL: 4}
    write_ferplus_like(path, SyntheticFacesConfig(total=220, identities=44, profile=profile))
    return path


@pytest.fixture
def dataset(store: Settings, archive: Path) -> Iterator[StoredDataset]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield import_dataset(archive, store, dataset_id=DATASET)
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def show(dataset: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> Show:
    """Open the form with query parameters."""
    del dataset

    def run_form(**query: Any) -> Any:
        return open_form(monkeypatch, **query)

    return run_form
