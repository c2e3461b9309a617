"""Datasets → Import with entries and files that can't work: each says why, and none is an error of ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.data.ingest.import_folder import list_imports, start_import
from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.settings import Settings
from fer_ui.errors import UNEXPECTED_ERROR
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.app_test import page_text, press
from tests.support.sources import png, write_folder, write_zip

ODD_TEXTS = (
    "",
    "(",
    "[a",
    "*",
    "a{99999999999}",
    "(" * 150,
    "abc",
    "^([a-z]+)",
    "(a)(b)?",
    "\\",
    "日本",
    "../..",
    "\0",
    "%s {}",
)


@pytest.fixture(autouse=True)
def no_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are queued but not started."""
    monkeypatch.setattr("fer_core.jobs.submit.ensure_supervisor", lambda _settings: 0)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = "file;mood;who\n" + "".join(f"{number}.png;{mood};Zoë\n" for number, mood in enumerate(["joy", "sad"] * 4))
    files: dict[str, bytes | str] = {f"{number}.png": png(number) for number in range(8)}
    return write_folder(tmp_path / "listed", files | {"list.csv": rows.encode("latin-1")})


def _errors(app: AppTest) -> str:
    return " ".join(str(error.value) for error in app.error).replace("\\", "")


def _assert_no_error_of_ours(app: AppTest, entry: object) -> None:
    assert not app.exception, entry
    text = page_text(app)
    assert UNEXPECTED_ERROR not in text and "codec" not in text and "Traceback" not in text, entry


def _preview(open_page: OpenPage) -> AppTest:
    return open_page(Page.DATASETS, view="import", **{"import": "mine"})


def _import_button(app: AppTest):  # type: ignore[no-untyped-def]
    return next(button for button in app.button if button.label == "Import")


@pytest.mark.parametrize("layout", ["names", "folders", "table"])
def test_odd_entries_of_the_preview_never_break_it(
    layout: str, table: Path, store: Settings, open_page: OpenPage
) -> None:
    start_import(table, "mine", store)
    app = _preview(open_page)
    next(box for box in app.selectbox if box.label == "File layout").set_value(layout).run()
    _assert_no_error_of_ours(app, layout)
    for number in range(len(app.text_input)):
        before = app.text_input[number].value
        for text in ODD_TEXTS:
            app.text_input[number].set_value(text).run()
            _assert_no_error_of_ours(app, (app.text_input[number].label, text))
        app.text_input[number].set_value(before).run()


def test_every_file_layout_can_be_tried_on_any_files(table: Path, store: Settings, open_page: OpenPage) -> None:
    start_import(table, "mine", store)
    app = _preview(open_page)
    for layout in next(box for box in app.selectbox if box.label == "File layout").options:
        box = next(box for box in app.selectbox if box.label == "File layout")
        box.select(layout).run()
        _assert_no_error_of_ours(app, layout)


def test_an_invalid_regular_expression_names_the_field_and_the_position(
    table: Path, store: Settings, open_page: OpenPage
) -> None:
    start_import(table, "mine", store)
    app = _preview(open_page)
    field = next(box for box in app.text_input if box.label.startswith("Person in the file name"))
    field.set_value("S([0-9]+").run()
    assert "Person in the file name" in _errors(app) and "position 1" in _errors(app)
    assert _import_button(app).disabled
    next(box for box in app.text_input if box.label.startswith("Person in the file name")).set_value("").run()
    assert not app.error and not _import_button(app).disabled


def test_a_pattern_that_takes_too_long_is_named(
    table: Path, store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (table / "0.png").rename(table / f"{'a' * 60}!.png")
    monkeypatch.setattr("fer_core.data.readers.pattern_limit.LIMIT_S", 0.5)
    start_import(table, "mine", store)
    app = _preview(open_page)
    app.text_input(key="identity-pattern-mine-").set_value("(a+)+$").run()
    assert "'(a+)+$'" in _errors(app) and "Simplify it" in _errors(app)
    assert _import_button(app).disabled


def test_a_table_in_latin_1_is_read_and_the_page_says_so(table: Path, store: Settings, open_page: OpenPage) -> None:
    start_import(table, "mine", store)
    app = _preview(open_page)
    assert "list.csv is not UTF-8. It was read as Windows-1252 (Latin-1)" in page_text(app)
    assert not _import_button(app).disabled


def test_an_unknown_layout_can_be_chosen(tmp_path: Path, store: Settings, open_page: OpenPage) -> None:
    start_import(
        write_folder(tmp_path / "flat", {f"joy-{number}.png": png(number) for number in range(4)}), "mine", store
    )
    app = _preview(open_page)
    assert "The layout was not recognized. It has 4 files" in page_text(app)
    next(box for box in app.selectbox if box.label == "File layout").set_value("names").run()
    assert next(box for box in app.selectbox if box.label == "joy, 4 images").value == "Happiness"


def test_the_preview_button_says_what_is_missing(table: Path, store: Settings, open_page: OpenPage) -> None:
    def preview(app: AppTest):  # type: ignore[no-untyped-def]
        return next(button for button in app.button if button.label == "Preview")

    start_import(table, "taken", store)
    app = open_page(Page.DATASETS, view="import")
    assert preview(app).disabled and "Choose a file, or enter a path" in page_text(app)
    app.text_input(key="import-path").set_value(str(table)).run()
    assert app.text_input(key="import-name").value == "listed" and not preview(app).disabled
    for name, said in (("", "Enter a dataset name"), ("My Faces", "can't be a dataset name"), ("taken", "unfinished")):
        app.text_input(key="import-name").set_value(name).run()
        assert preview(app).disabled and said in page_text(app), name
    app.text_input(key="import-name").set_value("mine").run()
    press(app, "Preview")
    assert [work.id for work in list_imports(store)] == ["mine", "taken"]


@pytest.mark.parametrize("path", ["/nothing/here", "~nobody-has-this-name/x", "/tmp/" + "x" * 5_000, "日本"])
def test_a_path_that_can_not_be_read_is_explained(path: str, store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS, view="import")
    app.text_input(key="import-path").set_value(path).run()
    app.text_input(key="import-name").set_value("mine").run()
    press(app, "Preview")
    _assert_no_error_of_ours(app, path)
    assert len(app.error) == 1 and list_imports(store) == []


@pytest.mark.parametrize(("total", "disabled"), [(99, True), (100, False), (100_000, False), (100_001, True)])
def test_a_sample_out_of_range_is_not_generated(
    total: int, disabled: bool, store: Settings, open_page: OpenPage
) -> None:
    app = open_page(Page.DATASETS, view="import")
    assert app.number_input(key="sample-images").label == "Images (100 to 100,000)"
    app.number_input(key="sample-images").set_value(total).run()
    assert app.button(key="sample-generate").disabled is disabled
    assert ("Enter 100 to 100,000" in page_text(app)) is disabled


def test_unfinished_imports_say_what_happened_and_are_discarded_together(
    table: Path, tmp_path: Path, store: Settings, open_page: OpenPage
) -> None:
    for name in ("running", "broken", "waiting"):
        start_import(write_zip(tmp_path / f"{name}.zip", {"happiness/a.png": png()}), name, store)
    with JobStore(store) as jobs:
        for target in ("broken", "running"):
            jobs.submit(JobKind.IMPORT, f"Import {target}", (), target, job_id=target)
        assert jobs.claim_next() is not None
        jobs.finish("broken", JobState.FAILED, 1, "The disk is full.")
    app = open_page(Page.DATASETS, view="import")
    text = page_text(app)
    assert "from broken.zip, failed: The disk is full." in text and "from waiting.zip, needs review" in text
    app.button(key="discard-all").click().run()
    assert [work.id for work in list_imports(store)] == ["running"]


def test_a_link_to_an_import_that_is_gone_says_so(store: Settings, open_page: OpenPage) -> None:
    app = _preview(open_page)
    assert not app.exception and "There is no unfinished import 'mine'" in page_text(app)
