"""Datasets → Import: preview, choices, import."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import list_datasets, open_dataset
from fer_core.data.ingest.import_folder import list_imports, open_import, start_import
from fer_core.data.ingest.import_run import run_import
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.jobs.job import JobState
from fer_core.jobs.store import JobStore
from fer_core.jobs.submit import submit_import
from fer_core.settings import Settings
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import page_text
from tests.support.synthetic_datasets import write_synthetic_faces
from tests.support.texts import assert_mentions


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A folder of synthetic faces with a table of labels and people; one label is unknown."""
    folder = tmp_path / "listed"
    write_synthetic_faces(tmp_path / "faces", SyntheticFacesConfig(total=24, identities=8, size_px=32))
    folder.mkdir()
    files = [f"{number:02d}.png" for number in range(24)]
    for path, name in zip(sorted((tmp_path / "faces").rglob("*.png")), files, strict=True):
        path.rename(folder / name)
    moods = ["joy", "sad", "weird"]
    rows = [{"file": name, "mood": moods[number % 3], "who": f"p{number % 4}"} for number, name in enumerate(files)]
    pd.DataFrame(rows).to_csv(folder / "list.csv", index=False)
    return folder


@pytest.fixture
def no_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are queued but not started."""
    monkeypatch.setattr("fer_core.jobs.submit.ensure_supervisor", lambda _settings: 0)


def test_the_preview_asks_for_unknown_labels(
    table: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    start_import(table, "mine", store)
    app = _open_preview(open_page)
    assert _selected(app, "File layout") == "table"
    assert (_selected(app, "Image path"), _selected(app, "Label"), _selected(app, "Person")) == (
        "file",
        "mood",
        "(none)",
    )
    assert _selected(app, "joy, 8 images") == "Happiness"
    assert _selected(app, "weird, 8 images") == "Choose…"
    assert "choose an expression for 'weird'" in page_text(app)
    assert "The files define no splits" in page_text(app)
    assert _button(app, "Import").disabled
    assert list_datasets(store) == []


def test_the_import_follows_the_choices(table: Path, store: Settings, open_page: OpenPage, no_supervisor: None) -> None:
    start_import(table, "mine", store)
    app = _open_preview(open_page)
    _select(app, "Person").set_value("who").run()
    _select(app, "weird, 8 images").set_value("Contempt").run()
    _select(app, "sad, 8 images").set_value("Ignore").run()
    _button(app, "Import").click().run()
    assert not app.exception
    with JobStore(store) as jobs:
        (job,) = jobs.list()
    assert job.command_args[:4] == ("datasets", "import", "--resume", "mine")
    run_import(open_import("mine", store), store)
    index = open_dataset("mine", store).index()
    assert index["label"].value_counts().to_dict() == {"happiness": 8, "contempt": 8}
    assert index["unlabeled"].value_counts().to_dict() == {"": 16, "left_out": 8}
    assert index["identity"].nunique() == 4


def test_the_folder_of_ambiguous_file_names_can_be_chosen(table: Path, store: Settings, open_page: OpenPage) -> None:
    for folder in ("large", "small"):
        (table / folder).mkdir()
    for image in sorted(table.glob("*.png")):
        (table / "large" / image.name).write_bytes(image.read_bytes())
        image.rename(table / "small" / image.name)
    listed = pd.read_csv(table / "list.csv", dtype=str)
    listed.assign(file=listed["file"].str.upper()).to_csv(table / "list.csv", sep=";", index=False, encoding="utf-16")
    start_import(table, "mine", store)
    app = _open_preview(open_page, errors=1)
    assert_mentions(page_text(app), "24 rows", "match several")
    next(box for box in app.text_input if box.label.startswith("Image folder")).set_value("small").run()
    assert "match several" not in page_text(app)
    assert_mentions(page_text(app), "24 rows", "lower case")


def test_a_column_without_labels_is_noticed(table: Path, store: Settings, open_page: OpenPage) -> None:
    listed = pd.read_csv(table / "list.csv")
    listed["mood"] = [f"note {number}" for number in range(len(listed))]
    pd.concat([listed] * 3).assign(mood=[f"note {number}" for number in range(72)]).to_csv(
        table / "list.csv", index=False
    )
    start_import(table, "mine", store)
    app = _open_preview(open_page)
    assert "probably another one" in page_text(app)
    assert _button(app, "Import").disabled


def test_less_than_half_of_the_images_is_imported_only_after_confirmation(
    table: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    listed = pd.read_csv(table / "list.csv").assign(mood="sad")
    listed.head(8).to_csv(table / "list.csv", index=False)
    (table / "clip.mp4").touch()
    (table / "notes.txt").touch()
    start_import(table, "mine", store)
    app = _open_preview(open_page, errors=1)
    text = page_text(app)
    assert_mentions(text, "more than half")
    assert_mentions(text, "16 images", "no label file", "08.png", "09.png", "10.png")
    assert_mentions(text, "1 other file", "1 .txt", "notes.txt")
    assert _button(app, "Import").disabled
    (box,) = app.checkbox
    assert box.label == "Import only the 8 images that can be used"
    box.check().run()
    _button(app, "Import").click().run()
    assert not app.exception
    with JobStore(store) as jobs:
        (job,) = jobs.list()
    assert job.command_args == ("datasets", "import", "--resume", "mine", "--allow-partial")


def test_after_a_failed_import_the_page_offers_to_import_only_the_usable_images(
    table: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    """The preview opens a sample of the images; the import may find that most are unreadable."""
    pd.read_csv(table / "list.csv").assign(mood="sad").to_csv(table / "list.csv", index=False)
    start_import(table, "mine", store)
    assert len(_open_preview(open_page).checkbox) == 0
    submit_import("mine", store)
    with JobStore(store) as jobs:
        jobs.claim_next()
        jobs.finish(jobs.list()[0].id, JobState.FAILED, 2, "Only 3 of the 24 images can be used.")
    app = _open_preview(open_page)
    (box,) = app.checkbox
    assert box.label == "Import only the images that can be used"
    assert not _button(app, "Import").disabled
    box.check().run()
    _button(app, "Import").click().run()
    with JobStore(store) as jobs:
        assert jobs.list()[0].command_args[-1] == "--allow-partial"


def test_the_form_and_the_choices_survive_a_visit_to_another_page(
    table: Path, store: Settings, open_page: OpenPage
) -> None:
    app = open_page(Page.DATASETS, view="import")
    app.text_input(key="import-path").set_value("/data/faces").run()
    app.text_input(key="import-name").set_value("my-name").run()
    app = _visit_jobs_and_return(app)
    assert (app.text_input(key="import-path").value, app.text_input(key="import-name").value) == (
        "/data/faces",
        "my-name",
    )

    start_import(table, "mine", store)
    app.query_params["import"] = "mine"
    app.run()
    app.text_input(key="identity-pattern-mine-").set_value("^(.)").run()
    app.selectbox(key="column-identity-mine-mine-list.csv").set_value("who").run()
    app = _visit_jobs_and_return(app)
    assert app.text_input(key="identity-pattern-mine-").value == "^(.)"
    assert _selected(app, "Person") == "who"


def _visit_jobs_and_return(app: AppTest) -> AppTest:
    before = dict(app.query_params)
    app.switch_page(f"pages/{Page.JOBS}/page.py").run()
    assert not app.text_input
    app.switch_page(f"pages/{Page.DATASETS}/page.py")
    for name, value in before.items():
        app.query_params[name] = value
    return app.run()


def _move_into_folders(folder: Path, table: Path, pattern: str, names: list[str]) -> list[str]:
    """Move the faces to paths made from `pattern`, with alternating names and their number; return the paths."""
    paths = [pattern.format(names[number % len(names)], number // len(names)) for number in range(24)]
    for source, path in zip(sorted(table.glob("*.png")), paths, strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        source.rename(folder / path)
    return paths


def test_the_user_chooses_between_labels_of_folders_and_of_a_table(
    table: Path, tmp_path: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    folder = tmp_path / "twice"
    paths = _move_into_folders(folder, table, "{}/{}.png", ["fear", "anger"])
    rows = [
        {"pth": path, "label": "sadness" if number < 6 else path.split("/")[0]} for number, path in enumerate(paths)
    ]
    pd.DataFrame(rows).to_csv(folder / "labels.csv", index=False)
    start_import(folder, "mine", store)
    app = _open_preview(open_page)
    assert "give different labels to 6 of the 24 images" in page_text(app)
    assert _selected(app, "File layout") == "folders"
    assert _button(app, "Import").disabled
    (radio,) = [radio for radio in app.radio if radio.label == "Which labels should be used?"]
    radio.set_value("table").run()
    assert not app.exception
    assert _selected(app, "File layout") == "table"
    assert _selected(app, "sadness, 6 images") == "Sadness"
    assert not _button(app, "Import").disabled
    next(radio for radio in app.radio if radio.label == "Which labels should be used?").set_value("folders").run()
    assert _selected(app, "File layout") == "folders"
    assert _selected(app, "fear, 12 images") == "Fear"
    _button(app, "Import").click().run()
    run_import(open_import("mine", store), store)
    assert open_dataset("mine", store).index()["label"].value_counts().to_dict() == {"fear": 12, "anger": 12}


def test_numeric_labels_need_a_numbering(
    table: Path, tmp_path: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    _move_into_folders(tmp_path / "numbers", table, "train/{}/{}.png", ["1", "2", "7"])
    start_import(tmp_path / "numbers", "mine", store)
    app = _open_preview(open_page)
    assert "datasets number expressions differently" in page_text(app)
    assert _selected(app, "7, 8 images") == "Choose…"
    assert _button(app, "Import").disabled
    _select(app, "Numbering").set_value("RAF-DB").run()
    assert [_selected(app, f"{code}, 8 images") for code in "127"] == ["Surprise", "Fear", "Neutral"]
    _select(app, "2, 8 images").set_value("Anger").run()
    _button(app, "Import").click().run()
    assert not app.exception
    run_import(open_import("mine", store), store)
    labels = open_dataset("mine", store).index()["label"].value_counts().to_dict()
    assert labels == {"surprise": 8, "anger": 8, "neutral": 8}


@pytest.mark.parametrize("are_people", [True, False])
def test_folders_of_people_are_identities_unless_unchecked(
    are_people: bool, table: Path, tmp_path: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    _move_into_folders(tmp_path / "people", table, "{0}/s{1:02d}/1.png", ["fear", "anger"])
    start_import(tmp_path / "people", "mine", store)
    app = _open_preview(open_page)
    (box,) = app.checkbox
    assert box.label == "Folders such as s00, s01, s02 are people (12)"
    if not are_people:
        box.uncheck().run()
    _button(app, "Import").click().run()
    assert not app.exception
    run_import(open_import("mine", store), store)
    assert open_dataset("mine", store).index()["identity"].nunique() == (12 if are_people else 0)


def test_an_unfinished_import_is_listed_and_can_be_discarded(table: Path, store: Settings, open_page: OpenPage) -> None:
    start_import(table, "mine", store)
    app = open_page(Page.DATASETS, view="import")
    assert "from listed, needs review" in page_text(app)
    assert [expander.label for expander in app.expander][-1] == "Not finished (1)"
    _button(app, "Discard mine").click().run()
    assert list_imports(store) == []
    assert (table / "list.csv").is_file()


def test_a_custom_manifest_is_checked_and_saved(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS, view="manifests")
    assert "Valid: My faces" in page_text(app)
    app.text_area[0].set_value("id: mine\ntitle: Mine\nsummary: Ours.\nlicence: none\nlicense: none\n").run()
    assert "unknown key 'licence'" in page_text(app)
    assert _button(app, "Save").disabled
    app.text_area[0].set_value("id: mine\ntitle: Mine\nsummary: Ours.\nlicence: none\n").run()
    _button(app, "Save").click().run()
    assert not app.exception
    assert (store.store / "manifests" / "mine.yaml").is_file()


def _open_preview(open_page: OpenPage, errors: int = 0) -> AppTest:
    app = open_page(Page.DATASETS, view="import", **{"import": "mine"})
    assert not app.exception
    assert len(app.error) == errors
    return app


def _select(app: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(box for box in app.selectbox if box.label == label)


def _selected(app: AppTest, label: str) -> str:
    return str(_select(app, label).value)


def _button(app: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(button for button in app.button if button.label == label)
