"""The Datasets page with a dataset without labels."""

from __future__ import annotations

from pathlib import Path

import pytest

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
