"""Evaluated images: which images of a dataset a model is evaluated on, with which labels and predictions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.bundles.reports import read_report
from fer_core.calibration import Calibration, OperatingPoint
from fer_core.data.catalog import StoredDataset, open_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.training_images import ExcludedImages
from fer_core.errors import InputError
from fer_core.evaluation.dataset_predictions import NotPredictedError, load_predictions
from fer_core.evaluation.evaluated_images import EvaluatedImages, evaluate_table
from fer_core.evaluation.predictions import prediction_table
from fer_core.labels import Expression, LabelSet
from fer_core.settings import Settings
from tests.support.evaluated import LABELS, make_evaluated, make_judged
from tests.support.sample_store import DATASET, RUN, copy_filled_store


@pytest.fixture
def filled(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    copy_filled_store(tmp_path / "filled", tmp_path_factory)
    return Settings(home=tmp_path / "filled", offline=True)


@pytest.fixture
def dataset(filled: Settings) -> StoredDataset:
    return open_dataset(DATASET, filled)


def evaluate(dataset: StoredDataset, filled: Settings, split: str = "test") -> EvaluatedImages:
    predictions = load_predictions(filled.runs_dir / RUN, dataset, filled)
    return predictions.evaluate(split, "majority", OperatingPoint.ACCURATE)


def test_a_run_is_evaluated_on_its_own_splits_as_in_its_report(dataset: StoredDataset, filled: Settings) -> None:
    predictions = load_predictions(filled.runs_dir / RUN, dataset, filled)
    reports = read_report(filled.runs_dir / RUN)
    assert [(each.name, each.of_run) for each in predictions.list_splits()] == [("test", True), ("valid", True)]
    for split in ("test", "valid"):
        for stored in reports[split]:
            found = predictions.evaluate(split, stored.protocol, stored.point)
            assert found.report.confusion == stored.confusion
            assert found.report.macro_f1 == pytest.approx(stored.macro_f1)


def test_cells_are_the_images_of_the_confusion_matrix(dataset: StoredDataset, filled: Settings) -> None:
    images = evaluate(dataset, filled)
    index, seen = dataset.index(["id", "label"]), 0
    for row, label in enumerate(images.labels):
        for column, predicted in enumerate(images.labels):
            numbers = images.cell(label, predicted)
            assert len(numbers) == images.report.confusion[row][column]
            assert (np.diff(images.confidence[numbers]) <= 0).all(), "the most confident come first"
            assert (index["id"].to_numpy(object)[images.positions[numbers]] == images.ids[numbers]).all()
            seen += len(numbers)
    assert seen == len(images.labeled.truth) == images.report.n


def test_corrections_count_without_new_predictions(dataset: StoredDataset, filled: Settings) -> None:
    before = evaluate(dataset, filled)
    first, second = before.labeled.ids[:2].tolist()
    label = next(each for each in before.labels if before.labels.index(each) != before.labeled.truth[0])
    dataset.corrections().mark(Action.RELABEL, [first], label=str(label))
    dataset.corrections().mark(Action.EXCLUDE, [second])
    after = evaluate(dataset, filled)
    truth = dict(zip(after.ids, after.truth, strict=True))
    assert truth[first] == before.labels.index(label)
    assert second not in truth
    assert after.report.n == before.report.n - 1


def test_seen_images_are_never_evaluated(dataset: StoredDataset, filled: Settings) -> None:
    predictions = load_predictions(filled.runs_dir / RUN, dataset, filled)
    images = predictions.evaluate("test", "argmax", OperatingPoint.ACCURATE)
    assert predictions.seen is not None
    assert not predictions.seen.trained_on[images.positions].any()
    with pytest.raises(InputError, match=r"'train'\. Splits with images: test, valid"):
        predictions.evaluate("train", "argmax", OperatingPoint.ACCURATE)


def test_images_with_a_copy_in_training_are_left_out_unless_asked_for(dataset: StoredDataset, filled: Settings) -> None:
    predictions = load_predictions(filled.runs_dir / RUN, dataset, filled)
    before = predictions.evaluate("test", "argmax", OperatingPoint.ACCURATE)
    assert predictions.seen is not None
    copied = np.isin(np.arange(len(predictions.index)), before.positions[:3])
    predictions = replace(predictions, seen=predictions.seen._replace(copied=copied))
    after = predictions.evaluate("test", "argmax", OperatingPoint.ACCURATE)
    assert after.positions.tolist() == before.positions[3:].tolist()
    assert after.excluded.copied == 3 and "3 with a copy among its training images" in after.excluded.describe()
    every = predictions.evaluate("test", "argmax", OperatingPoint.ACCURATE, with_copied=True)
    assert every.positions.tolist() == before.positions.tolist()


def test_a_model_without_predictions_says_what_to_do(dataset: StoredDataset, filled: Settings) -> None:
    with pytest.raises(NotPredictedError, match="Predict the dataset first"):
        load_predictions(SHIPPED_FOLDER, dataset, filled)


def test_images_without_a_label_are_kept_apart() -> None:
    images = make_evaluated(make_judged(50), unlabeled=[3, 4])
    assert len(images.truth) == 50
    assert len(images.labeled_predictions.truth) == len(images.labeled.ids) == images.report.n == 48
    assert not {"image-3", "image-4"} & set(images.labeled.ids)
    assert len(images.cell(LABELS[0], LABELS[0])) == images.report.confusion[0][0]
    assert Expression.FEAR in images.labels


def test_images_of_an_archive_may_share_an_id() -> None:
    judged = make_judged(6)
    rows = pd.DataFrame({"id": ["a", "a", "b", "b", "c", "d"], "label": [str(LABELS[code]) for code in judged.truth]})
    labels, logits = LabelSet("model", LABELS), np.log(judged.probabilities)
    table = prediction_table(rows.iloc[[1, 2, 4]], logits[[1, 2, 4]], labels).set_axis([1, 2, 4])
    images = evaluate_table(
        table, rows, Calibration.identity(LABELS), labels, "argmax", OperatingPoint.ACCURATE, ExcludedImages()
    )
    assert images.positions.tolist() == [1, 2, 4] and images.ids.tolist() == ["a", "b", "c"]
    assert images.truth.tolist() == judged.truth[[1, 2, 4]].tolist()
