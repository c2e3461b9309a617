"""Every page on an empty and on a filled store."""

from __future__ import annotations

import pytest

from fer_core.errors import JobError
from fer_core.jobs.deletion import delete_job
from fer_core.jobs.job import JobKind
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import create_run, list_runs
from fer_core.settings import Settings
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import headlines, page_text
from tests.support.sample_store import DATASET, RUN

TITLES = {page: "FERscope" if page is Page.OVERVIEW else page.capitalize() for page in Page}
EMPTY_STATES = {
    Page.OVERVIEW: "published datasets",
    Page.DATASETS: "No dataset is imported yet",
    Page.TRAINING: "No dataset to train on yet",
    Page.EVALUATION: "accuracy hides contempt",
    Page.PREDICT: "Try a sample",
}


@pytest.mark.parametrize("page", [page for page in Page if page is not Page.LIVE])
def test_a_page_opens_on_an_empty_store_with_a_hint(store: Settings, open_page: OpenPage, page: Page) -> None:
    app = open_page(page)
    assert not app.exception
    assert app.title[0].value == TITLES[page]
    assert EMPTY_STATES.get(page, "") in page_text(app)
    assert not app.error


@pytest.mark.parametrize("page", [page for page in Page if page is not Page.LIVE])
def test_a_page_opens_on_a_filled_store(filled_store: Settings, open_page: OpenPage, page: Page) -> None:
    app = open_page(page)
    assert not app.exception
    assert not app.error
    assert app.title[0].value == TITLES[page]


def test_a_dataset_opens_by_its_link(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS, dataset=DATASET)
    assert app.selectbox(key="dataset").value == DATASET
    assert "Labeled images" in headlines(app)
    assert "Class counts" in page_text(app)


def test_published_counts_need_no_images(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS, view="published", manifest="affectnet")
    assert "318,969" in page_text(app)  # the sum of AffectNet's eight expressions
    assert "28 : 1" in page_text(app)


def test_a_link_to_a_missing_dataset_says_so_and_offers_the_others(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS, dataset="gone")
    assert not app.exception
    assert "'gone'" in app.warning[0].value
    assert app.query_params["dataset"] == "gone"
    app = app.selectbox(key="dataset-instead").set_value(DATASET).run()
    assert app.query_params["dataset"] == DATASET
    assert app.selectbox(key="dataset").value == DATASET


def test_a_link_to_the_open_page_changes_its_view(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS)
    app.button(key="go-datasets-Import a dataset-view=import").click().run()
    assert app.query_params["view"] == "import"
    assert EMPTY_STATES[Page.DATASETS] not in page_text(app)


def test_an_empty_store_opens_on_published_counts_with_ways_to_a_first_dataset(
    store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.jobs.submit.ensure_supervisor", lambda _settings: 0)
    app = open_page(Page.DATASETS)
    assert app.selectbox(key="manifest").value == "affectnet-8"
    assert "287,651" in page_text(app) and "36 : 1" in page_text(app)
    app.button(key="generate-sample").click().run()
    job = app.query_params["job"]
    with JobStore(store) as jobs:
        assert jobs.get(job).kind is JobKind.GENERATE


def test_a_link_to_a_dataset_in_an_empty_store_says_that_it_is_gone(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS, dataset="gone")
    assert "'gone'" in app.warning[0].value
    assert app.query_params["dataset"] == "gone"


def test_an_invalid_path_is_refused_with_a_message(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS, view="import")
    app.text_input(key="import-path").set_value("/nowhere/at/all.zip").run()
    next(button for button in app.button if button.label == "Preview").click().run()
    assert any("There is no file or folder" in error.value.replace("\\", "") for error in app.error)
    assert not store.datasets_dir.exists()


def test_the_training_form_shows_its_command_and_config(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.TRAINING)
    app.number_input(key="train-epochs").set_value(3).run()
    command, config = (block.value for block in app.code[:2])
    assert "--set epochs=3" in command
    assert f"dataset={DATASET}" in command
    assert "epochs: 3" in config
    assert len(list_runs(filled_store)) == 1  # no run is created before the button is pressed


@pytest.mark.parametrize(
    ("job", "text"),
    [
        ("done", "Finished"),
        ("failed", "Lower optimizer.learning_rate"),
        ("missing", "missing"),
    ],
)
def test_a_job_opens_by_its_link(filled_store: Settings, open_page: OpenPage, job: str, text: str) -> None:
    app = open_page(Page.TRAINING, job=job)
    assert not app.exception
    assert text in page_text(app)


@pytest.mark.parametrize("param", ["run", "job"])
def test_a_link_to_a_run_or_job_that_is_gone_says_so_and_offers_the_runs(
    filled_store: Settings, open_page: OpenPage, param: str
) -> None:
    app = open_page(Page.TRAINING, **{param: "nowhere"})
    assert not app.exception
    assert f"There is no {param} 'nowhere'" in app.warning[0].value.replace("\\", "")
    assert app.query_params[param] in ("nowhere", ["nowhere"])
    assert len(app.selectbox(key="run-instead").options) == 1


def test_a_training_is_deleted_with_its_files_after_confirmation(filled_store: Settings, open_page: OpenPage) -> None:
    run = create_run("doomed", (filled_store.runs_dir / RUN / "config.yaml").read_text(), filled_store)
    with JobStore(filled_store) as jobs:
        job = jobs.submit(JobKind.TRAIN, "Doomed network", ("train", "--run", run.id), run.id, priority=9)
        jobs.request_cancel(job.id)
    app = open_page(Page.TRAINING, job=job.id)
    button = app.button(key=f"delete-{job.id}")
    assert button.disabled
    app.checkbox(key=f"sure-{job.id}").check().run()
    app.button(key=f"delete-{job.id}").click().run()
    assert not run.folder.exists()
    with JobStore(filled_store) as jobs, pytest.raises(JobError):
        jobs.get(job.id)


def test_a_dataset_that_a_job_needs_is_not_deleted(filled_store: Settings, open_page: OpenPage) -> None:
    run = create_run("needing", (filled_store.runs_dir / RUN / "config.yaml").read_text(), filled_store)
    with JobStore(filled_store) as jobs:
        job = jobs.submit(JobKind.TRAIN, "Needs it", ("train", "--run", run.id), run.id)
        app = open_page(Page.DATASETS, dataset=DATASET, section="about")
        app.checkbox(key=f"sure-{DATASET}").check().run()
        app.button(key=f"delete-{DATASET}").click().run()
        assert any("can't be deleted" in error.value and "Cancel the job first" in error.value for error in app.error)
        assert (filled_store.datasets_dir / DATASET / "dataset.json").is_file()
        jobs.request_cancel(job.id)
        delete_job(job.id, jobs, filled_store)


def test_models_shows_a_run(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.MODELS, model=RUN)
    assert "Tiny network" in page_text(app)
    assert any(button.key == f"use-{RUN}" for button in app.button)
