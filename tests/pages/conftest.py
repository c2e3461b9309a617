"""Fixtures of page tests, which run in AppTest, without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.data.catalog import open_dataset
from fer_core.evaluation.prediction_cache import PredictionKey, logit_table, write_predictions
from fer_core.settings import Settings, settings
from fer_ui.navigation import Page
from tests.support.sample_store import DATASET, copy_filled_store

APP = Path(__file__).resolve().parents[2] / "app.py"

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="session")
def filled_store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `filled_store`, made once per session."""
    folder = tmp_path_factory.mktemp("filled") / "store"
    copy_filled_store(folder, tmp_path_factory)
    return folder


@pytest.fixture
def filled_store(filled_store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A store with a dataset, a finished run and three jobs; shared, so tests must restore what they change."""
    monkeypatch.setenv("FERSCOPE_HOME", str(filled_store_folder))
    monkeypatch.setenv("FERSCOPE_OFFLINE", "true")
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.fixture(scope="session")
def registered_pages(filled_store_folder: Path) -> dict[str, Any]:
    """The registered pages, which AppTest reads from a first run: without this, each test would draw Overview."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FERSCOPE_HOME", str(filled_store_folder))
        patched.setenv("FERSCOPE_OFFLINE", "true")
        settings.cache_clear()
        pages = AppTest.from_file(str(APP), default_timeout=60).run()._registered_pages
    settings.cache_clear()
    return dict(pages)


@pytest.fixture
def open_page(registered_pages: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """A function that opens a page of the app with query parameters."""

    def clear_caches() -> None:
        st.cache_data.clear()
        st.cache_resource.clear()

    def open_with_query(page: Page, **query: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=60)
        app._registered_pages = registered_pages
        for name, value in query.items():
            app.query_params[name] = value
        return app.switch_page(f"pages/{page}/page.py").run()

    # Torch is not loaded for each of these tests.
    monkeypatch.setattr("fer_ui.datasets.preparation.prepare_dataset", lambda _dataset: None)
    clear_caches()
    yield open_with_query
    from fer_ui.resources import job_store

    job_store().dispose()
    clear_caches()


@pytest.fixture
def predicted_by_shipped(filled_store: Settings) -> Iterator[None]:
    """Predictions of the dataset that the shipped model would have made: random ones."""
    dataset = open_dataset(DATASET, filled_store)
    contract = Contract.load(SHIPPED_FOLDER / CONTRACT_FILE)
    logits = np.random.default_rng(0).normal(size=(dataset.n, len(contract.labels))).astype(np.float32)
    path = PredictionKey.of(dataset.fingerprint, SHIPPED_FOLDER).path(filled_store)
    write_predictions(logit_table(dataset.raw_index(["id"])["id"], logits, contract), path)
    yield
    path.unlink()
