"""Stored predictions: computed once for a dataset and a model, resumable, and independent of corrections."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.calibration import Calibration
from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset, delete_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.errors import CancelledError
from fer_core.evaluation import predict_stored as module
from fer_core.evaluation.predict_stored import predict_stored
from fer_core.evaluation.prediction_cache import PredictionKey, aligned_logits, read_predictions
from fer_core.settings import Settings
from tests.support.commands import Cli, cli_runner
from tests.support.faulty_dataset import ID, UNREADABLE, N, import_faulty


class MeanClassifier:
    """Gives the mean of a face as each logit, and counts the faces."""

    contract = Contract.load(SHIPPED_FOLDER / "contract.json")
    calibration = Calibration.identity(contract.labels)
    id = "mean"

    def __init__(self) -> None:
        self.faces = 0

    def logits(self, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        self.faces += len(faces)
        return np.repeat(faces.mean(axis=(1, 2, 3))[:, None], len(self.contract.labels), axis=1)


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> StoredDataset:
    return import_faulty(tmp_path / "faces", store)


@pytest.fixture
def key(dataset: StoredDataset) -> PredictionKey:
    return PredictionKey.of(dataset.fingerprint, SHIPPED_FOLDER)


def test_every_readable_image_is_predicted_once(dataset: StoredDataset, key: PredictionKey, store: Settings) -> None:
    classifier = MeanClassifier()
    dataset.corrections().mark(Action.EXCLUDE, dataset.raw_index(["id"])["id"].iloc[:3], "test")
    table = predict_stored(classifier, dataset, key, store)
    ids = dataset.raw_index(["id"])["id"]
    assert table["id"].tolist() == [name for name in ids if name != UNREADABLE]
    assert classifier.faces == N - 1
    again = predict_stored(classifier, dataset, key, store)
    pd.testing.assert_frame_equal(again, table, check_dtype=False)
    assert classifier.faces == N - 1, "the second time they are read"


def test_logits_are_aligned_with_the_index(dataset: StoredDataset, key: PredictionKey, store: Settings) -> None:
    classifier = MeanClassifier()
    table = predict_stored(classifier, dataset, key, store)
    ids = dataset.raw_index(["id"])["id"]
    logits = aligned_logits(table.sample(frac=1, random_state=1), ids, classifier.contract)
    unreadable = (ids == UNREADABLE).to_numpy()
    assert np.isnan(logits[unreadable]).all() and not np.isnan(logits[~unreadable]).any()
    np.testing.assert_array_equal(logits[~unreadable, 0], table.iloc[:, 1])


def test_a_cancelled_prediction_resumes_after_its_finished_chunks(
    dataset: StoredDataset, key: PredictionKey, store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHUNK_ROWS", 10)
    classifier = MeanClassifier()

    def stop(done_01: float, message: str) -> None:
        if done_01 > 0.3:
            raise CancelledError(message)

    with pytest.raises(CancelledError):
        predict_stored(classifier, dataset, key, store, stop)
    assert read_predictions(key.path(store)) is None
    assert classifier.faces == 20
    updates: list[float] = []
    table = predict_stored(classifier, dataset, key, store, lambda done_01, _: updates.append(done_01))
    assert classifier.faces == len(table) == N - 1
    assert updates == sorted(updates) and updates[-1] == 1
    assert [path.suffix for path in key.path(store).parent.iterdir()] == [".parquet"]


def test_a_damaged_file_is_computed_again(dataset: StoredDataset, key: PredictionKey, store: Settings) -> None:
    key.path(store).parent.mkdir(parents=True)
    key.path(store).write_bytes(b"damaged")
    assert len(predict_stored(MeanClassifier(), dataset, key, store)) == N - 1


def test_another_network_has_another_key_and_another_calibration_has_not(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("model.onnx", "contract.json", "calibration.json"):
        shutil.copy(SHIPPED_FOLDER / name, copy)
    original = PredictionKey.of("d", SHIPPED_FOLDER)
    (copy / "calibration.json").write_text("{}")
    assert PredictionKey.of("d", copy) == original
    assert PredictionKey.of("e", copy) != original
    (copy / "model.onnx").write_bytes(b"another")
    assert PredictionKey.of("d", copy) != original


def test_the_command_predicts_with_the_shipped_model_and_deletion_removes_it(
    dataset: StoredDataset, key: PredictionKey, store: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    cli: Cli = cli_runner(capsys)
    result = cli("datasets", "predict", ID, "--json")
    assert (result.code, result.json["model"], result.json["n"]) == (0, "default", N - 1)
    assert key.path(store).is_file()
    delete_dataset(ID, store)
    assert not key.path(store).exists()
