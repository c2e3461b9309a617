"""What is prepared in the background."""

from __future__ import annotations

import threading

import pandas as pd
import pytest
import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.errors import DatasetError
from fer_ui.datasets import preparation
from tests.fer_ui.datasets.small_dataset import open_view


def view() -> None:
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.preparation import prepare_dataset

    prepare_dataset(open_dataset("small", settings()))


def test_a_session_prepares_a_dataset_once_and_a_failure_is_not_shown(
    small: StoredDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[str] = []
    done = threading.Event()

    def fail(process: object, dataset_id: str, image_id: str) -> None:
        prepared.append(f"{dataset_id}/{image_id}")
        done.set()
        raise DatasetError("gone")

    monkeypatch.setattr(preparation, "worker", lambda: None)
    monkeypatch.setattr(preparation, "load_thumbnails", lambda dataset, rows: prepared.append(rows["id"].iloc[0]))
    monkeypatch.setattr(preparation, "prepare_augmentation", fail)
    app = open_view(view)
    app.run()
    assert done.wait(60)
    first, augmented = prepared
    assert augmented == f"small/{first}"
    assert not app.exception


def test_a_dataset_without_readable_images_prepares_nothing(
    small: StoredDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = small.index(["id", "problem"]).assign(problem="broken")
    monkeypatch.setattr(preparation, "load_index", lambda dataset: pd.DataFrame(index))
    monkeypatch.setattr(preparation, "worker", lambda: st.stop())
    assert not open_view(view).exception
