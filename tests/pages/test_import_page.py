from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import list_datasets, open_dataset
from fer_core.data.ingest.import_folder import list_imports, open_import, start_import
from fer_core.data.ingest.import_run import run_import
from fer_core.data.synthetic.generator import SyntheticFacesConfig, write_synthetic_faces
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage, words


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A folder of drawn faces whose labels and people stand in a table; one label is nobody's word for anything."""
    folder = tmp_path / "listed"
    write_synthetic_faces(tmp_path / "drawn", SyntheticFacesConfig(total=24, identities=8, size_px=32))
    folder.mkdir()
    files = [f"{place:02d}.png" for place in range(24)]
    for path, name in zip(sorted((tmp_path / "drawn").rglob("*.png")), files, strict=True):
        path.rename(folder / name)
    moods = ["joy", "sad", "weird"]
    rows = [{"file": name, "mood": moods[place % 3], "who": f"p{place % 4}"} for place, name in enumerate(files)]
    pd.DataFrame(rows).to_csv(folder / "list.csv", index=False)
    return folder


@pytest.fixture
def no_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are queued, and nobody carries them out."""
    monkeypatch.setattr("fer_core.jobs.submit.ensure_supervisor", lambda _settings: 0)


def test_an_import_shows_what_it_would_do_and_waits_for_what_is_undecided(
    table: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    start_import(table, "mine", store)
    app = _proposal(open_page)
    assert _chosen(app, "Layout") == "table"
    assert (_chosen(app, "Image path"), _chosen(app, "Label"), _chosen(app, "Person")) == (
        "file",
        "mood",
        "(none)",
    )
    assert _chosen(app, "joy, 8 images") == "Happiness"
    assert _chosen(app, "weird, 8 images") == "choose"
    assert "Choose an expression for 'weird'" in words(app)
    assert _button(app, "Import").disabled
    assert list_datasets(store) == []


def test_what_is_chosen_is_what_is_imported(
    table: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    start_import(table, "mine", store)
    app = _proposal(open_page)
    _select(app, "Person").set_value("who").run()
    _select(app, "weird, 8 images").set_value("Contempt").run()
    _select(app, "sad, 8 images").set_value("ignore").run()
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


def test_of_two_folders_with_the_same_names_one_can_be_chosen(
    table: Path, store: Settings, open_page: OpenPage
) -> None:
    for folder in ("large", "small"):
        (table / folder).mkdir()
    for image in sorted(table.glob("*.png")):
        (table / "large" / image.name).write_bytes(image.read_bytes())
        image.rename(table / "small" / image.name)
    listed = pd.read_csv(table / "list.csv", dtype=str)
    listed.assign(file=listed["file"].str.upper()).to_csv(table / "list.csv", sep=";", index=False, encoding="utf-16")
    start_import(table, "mine", store)
    app = _proposal(open_page, errors=1)
    assert "24 rows name files that match several" in words(app)
    next(box for box in app.text_input if box.label.startswith("Image folder")).set_value("small").run()
    assert "match several" not in words(app)
    assert "24 rows name a file in different upper or lower case" in words(app)


def test_a_column_that_is_no_label_is_noticed(table: Path, store: Settings, open_page: OpenPage) -> None:
    listed = pd.read_csv(table / "list.csv")
    listed["mood"] = [f"note {place}" for place in range(len(listed))]
    pd.concat([listed] * 3).assign(mood=[f"note {place}" for place in range(72)]).to_csv(
        table / "list.csv", index=False
    )
    start_import(table, "mine", store)
    app = _proposal(open_page)
    assert "probably another one" in words(app)
    assert _button(app, "Import").disabled


def test_the_lesser_half_is_imported_only_if_the_person_says_so(
    table: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    listed = pd.read_csv(table / "list.csv").assign(mood="sad")
    listed.head(8).to_csv(table / "list.csv", index=False)
    (table / "clip.mp4").touch()
    (table / "notes.txt").touch()
    start_import(table, "mine", store)
    app = _proposal(open_page, errors=1)
    said = words(app)
    assert "More than half of the images can't be used" in said
    assert "16 images are in no label file, such as 08.png, 09.png, 10.png." in said
    assert "1 other file is not an image (.txt 1), such as notes.txt." in said
    assert _button(app, "Import").disabled
    (box,) = app.checkbox
    assert box.label == "Import only the 8 images that can be used"
    box.check().run()
    _button(app, "Import").click().run()
    assert not app.exception
    with JobStore(store) as jobs:
        (job,) = jobs.list()
    assert job.command_args == ("datasets", "import", "--resume", "mine", "--allow-partial")


def _in_folders(folder: Path, table: Path, pattern: str, names: list[str]) -> list[str]:
    """The drawn faces in turn under `pattern`, filled with a name and the number of the turn; their paths."""
    paths = [pattern.format(names[place % len(names)], place // len(names)) for place in range(24)]
    for source, path in zip(sorted(table.glob("*.png")), paths, strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        source.rename(folder / path)
    return paths


def test_where_folders_and_a_table_disagree_the_person_says_which_counts(
    table: Path, tmp_path: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    folder = tmp_path / "twice"
    paths = _in_folders(folder, table, "{}/{}.png", ["fear", "anger"])
    rows = [{"pth": path, "label": "sadness" if place < 6 else path.split("/")[0]} for place, path in enumerate(paths)]
    pd.DataFrame(rows).to_csv(folder / "labels.csv", index=False)
    start_import(folder, "mine", store)
    app = _proposal(open_page)
    assert "give different labels to 6 of the 24 images" in words(app)
    assert _chosen(app, "Layout") == "folders"
    assert _button(app, "Import").disabled
    (radio,) = [each for each in app.radio if each.label == "Which labels should be used?"]
    radio.set_value("table").run()
    assert not app.exception
    assert _chosen(app, "Layout") == "table"
    assert _chosen(app, "sadness, 6 images") == "Sadness"
    assert not _button(app, "Import").disabled
    next(each for each in app.radio if each.label == "Which labels should be used?").set_value("folders").run()
    assert _chosen(app, "Layout") == "folders"
    assert _chosen(app, "fear, 12 images") == "Fear"
    _button(app, "Import").click().run()
    run_import(open_import("mine", store), store)
    assert open_dataset("mine", store).index()["label"].value_counts().to_dict() == {"fear": 12, "anger": 12}


def test_numbers_become_expressions_once_it_is_said_whose_they_are(
    table: Path, tmp_path: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    _in_folders(tmp_path / "numbers", table, "train/{}/{}.png", ["1", "2", "7"])
    start_import(tmp_path / "numbers", "mine", store)
    app = _proposal(open_page)
    assert "datasets number expressions differently" in words(app)
    assert _chosen(app, "7, 8 images") == "choose"
    assert _button(app, "Import").disabled
    _select(app, "Numbering").set_value("RAF-DB").run()
    assert [_chosen(app, f"{code}, 8 images") for code in "127"] == ["Surprise", "Fear", "Neutral"]
    _select(app, "2, 8 images").set_value("Anger").run()
    _button(app, "Import").click().run()
    assert not app.exception
    run_import(open_import("mine", store), store)
    labels = open_dataset("mine", store).index()["label"].value_counts().to_dict()
    assert labels == {"surprise": 8, "anger": 8, "neutral": 8}


@pytest.mark.parametrize("people", [True, False])
def test_folders_of_people_are_identities_unless_the_person_says_no(
    people: bool, table: Path, tmp_path: Path, store: Settings, open_page: OpenPage, no_supervisor: None
) -> None:
    _in_folders(tmp_path / "people", table, "{0}/s{1:02d}/1.png", ["fear", "anger"])
    start_import(tmp_path / "people", "mine", store)
    app = _proposal(open_page)
    (box,) = app.checkbox
    assert box.label == "Folders such as s00, s01, s02 are people (12)"
    if not people:
        box.uncheck().run()
    _button(app, "Import").click().run()
    assert not app.exception
    run_import(open_import("mine", store), store)
    assert open_dataset("mine", store).index()["identity"].nunique() == (12 if people else 0)


def test_an_unfinished_import_is_listed_and_can_be_discarded(table: Path, store: Settings, open_page: OpenPage) -> None:
    start_import(table, "mine", store)
    app = open_page(Page.DATASETS, view="import")
    assert "from listed, waiting" in words(app)
    _button(app, "Discard").click().run()
    assert list_imports(store) == []
    assert (table / "list.csv").is_file()


def test_ones_own_manifest_is_checked_and_saved(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS, view="manifests")
    assert "Valid: My faces" in words(app)
    app.text_area[0].set_value("id: mine\ntitle: Mine\nsummary: Ours.\nlicence: none\nlicense: none\n").run()
    assert "unknown key 'licence'" in words(app)
    assert _button(app, "Save").disabled
    app.text_area[0].set_value("id: mine\ntitle: Mine\nsummary: Ours.\nlicence: none\n").run()
    _button(app, "Save").click().run()
    assert not app.exception
    assert (store.store / "manifests" / "mine.yaml").is_file()


def _proposal(open_page: OpenPage, errors: int = 0) -> AppTest:
    app = open_page(Page.DATASETS, view="import", **{"import": "mine"})
    assert not app.exception
    assert len(app.error) == errors
    return app


def _select(app: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(box for box in app.selectbox if box.label == label)


def _chosen(app: AppTest, label: str) -> str:
    return str(_select(app, label).value)


def _button(app: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(button for button in app.button if button.label == label)
