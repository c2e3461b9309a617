"""What is prepared in the background."""

from __future__ import annotations

import threading

import pytest

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
    assert not app.exception
    app.run()
    assert done.wait(60)
    first, augmented = prepared
    assert augmented == f"small/{first}"
    assert not app.exception
