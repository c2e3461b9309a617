"""A sample dataset with one click."""

from __future__ import annotations

import pytest

from fer_core.data.ingest.import_folder import start_import
from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings
from fer_ui.datasets.imports.sample_dataset import SAMPLE_IMAGES
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import press


@pytest.fixture(autouse=True)
def no_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are queued but not started."""
    monkeypatch.setattr("fer_core.jobs.submit.ensure_supervisor", lambda _settings: 0)


def test_one_click_generates_the_sample_and_shows_its_progress(store: Settings, open_page: OpenPage) -> None:
    app = press(open_page(Page.DATASETS, view="import"), "Generate sample dataset")
    assert not app.exception
    with JobStore(store) as jobs:
        (job,) = jobs.list()
    assert job.kind is JobKind.GENERATE
    assert job.args == ("datasets", "generate", "--id", "synthetic-faces", "--total", str(SAMPLE_IMAGES))
    assert app.query_params["job"] in (job.id, [job.id])


def test_a_second_click_shows_the_sample_that_is_being_generated(store: Settings, open_page: OpenPage) -> None:
    for _ in range(2):
        press(open_page(Page.DATASETS, view="import"), "Generate sample dataset")
    with JobStore(store) as jobs:
        assert len(jobs.list()) == 1


def test_the_sample_never_takes_the_name_of_another_dataset(
    store: Settings, open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    start_import(tmp_path_factory.mktemp("mine"), "synthetic-faces", store)
    press(open_page(Page.DATASETS, view="import"), "Generate sample dataset")
    with JobStore(store) as jobs:
        (job,) = jobs.list()
        assert job.target == "synthetic-faces-2"
        jobs.claim_next()
        jobs.finish(job.id, JobState.SUCCEEDED, 0, "")
