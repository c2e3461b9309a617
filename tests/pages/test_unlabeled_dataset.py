"""The Datasets page with a dataset without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.bundles.catalog import SHIPPED, SHIPPED_FOLDER
from fer_core.contract import CONTRACT_FILE, Contract
from fer_core.data.catalog import open_dataset
from fer_core.evaluation.prediction_cache import PredictionKey, logit_table, write_predictions
from fer_core.settings import Settings
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import page_text
from tests.support.unlabeled_dataset import DATASET, import_unlabeled

SECTIONS = ["classes", "faces", "quality", "corrections", "splits", "balance", "augmentation", "about"]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens(section: str, store: Settings, open_page: OpenPage, tmp_path: Path) -> None:
    import_unlabeled(tmp_path / "faces", store)
    app = open_page(Page.DATASETS, dataset=DATASET, section=section)
    assert not app.exception
    assert "Something went wrong" not in page_text(app)
    assert [error.value for error in app.error] == []


def test_nothing_can_be_evaluated_on_it(store: Settings, open_page: OpenPage, tmp_path: Path) -> None:
    import_unlabeled(tmp_path / "faces", store)
    dataset = open_dataset(DATASET, store)
    contract = Contract.load(SHIPPED_FOLDER / CONTRACT_FILE)
    logits = np.zeros((dataset.n, len(contract.labels)), np.float32)
    path = PredictionKey.of(dataset.fingerprint, SHIPPED_FOLDER).path(store)
    write_predictions(logit_table(dataset.raw_index(["id"])["id"], logits, contract), path)
    app = open_page(Page.EVALUATION, model=SHIPPED, dataset=DATASET)
    assert not app.exception
    assert "has no labels, so nothing can be evaluated on it" in app.error[0].value.replace("\\", "")
