"""Notes and tags of a run, edited in one or several windows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.runs.folder import Run
from fer_core.runs.notes import NOTES_FILE, read_notes, write_notes
from fer_core.settings import Settings
from tests.fer_ui.datasets.small_dataset import open_view
from tests.support.app_test import page_text, press
from tests.support.runs import make_run


def view() -> None:
    import streamlit as st

    from fer_ui.training.runs.notes_view import show_notes

    show_notes(st.query_params["run"])


@pytest.fixture
def run(store: Settings) -> Iterator[Run]:
    st.cache_resource.clear()
    yield make_run("one", store)
    st.cache_resource.clear()


def open_notes() -> AppTest:
    app = open_view(view, run="one")
    assert not app.exception
    return app


def type_note(app: AppTest, text: str) -> AppTest:
    return app.text_area[0].set_value(text).run()


def warnings_text(app: AppTest) -> str:
    return " ".join(warning.value for warning in app.warning)


def test_a_note_is_saved_by_its_button(run: Run) -> None:
    app = type_note(open_notes(), "It works.")
    assert read_notes(run).text == "" and "Not saved" in page_text(app)
    app = press(app, "Save note")
    assert read_notes(run).text == "It works."
    assert "Not saved" not in page_text(app) and "Last changed just now" in page_text(app)
    assert open_notes().text_area[0].value == "It works."


def test_tags_are_saved_at_once(run: Run, store: Settings) -> None:
    write_notes(make_run("two", store), add=["other"])
    app = open_notes()
    assert app.multiselect[0].options == ["other"]
    app = app.multiselect[0].set_value(["other", "My New Tag"]).run()
    assert read_notes(run).tags == ("my-new-tag", "other")
    assert app.multiselect[0].value == ["my-new-tag", "other"]
    app.multiselect[0].set_value(["other"]).run()
    assert read_notes(run).tags == ("other",)


def test_an_invalid_tag_is_refused(run: Run) -> None:
    write_notes(run, add=["good"])
    app = open_notes()
    app = app.multiselect[0].set_value(["good", "?!"]).run()
    assert not app.exception
    assert "can't be a tag" in page_text(app)
    assert app.multiselect[0].value == ["good"]
    assert "can't be a tag" not in page_text(app.run())


def test_tags_of_two_windows_are_merged(run: Run) -> None:
    first_window, second_window = open_notes(), open_notes()
    first_window.multiselect[0].set_value(["mine"]).run()
    second_window = second_window.multiselect[0].set_value(["yours"]).run()
    assert read_notes(run).tags == ("mine", "yours")
    assert second_window.multiselect[0].value == ["mine", "yours"]


def test_a_conflicting_note_is_shown_and_nothing_is_lost(run: Run) -> None:
    first_window, second_window = open_notes(), type_note(open_notes(), "Theirs")
    press(type_note(first_window, "Mine"), "Save note")
    second_window = press(second_window, "Save note")
    assert read_notes(run).text == "Mine"
    assert "changed in another window" in warnings_text(second_window) and not second_window.error
    assert second_window.code[0].value == "Mine" and second_window.text_area[0].value == "Theirs"
    second_window = press(second_window, "Combine both")
    assert second_window.text_area[0].value == "Mine\n\nTheirs" and read_notes(run).text == "Mine"
    press(second_window, "Save note")
    assert read_notes(run).text == "Mine\n\nTheirs"


@pytest.mark.parametrize(("label", "expected"), [("Overwrite with mine", "Mine"), ("Discard mine", "Theirs")])
def test_a_conflict_is_resolved_either_way(run: Run, label: str, expected: str) -> None:
    app = type_note(open_notes(), "Mine")
    write_notes(run, text="Theirs")
    app = press(press(app, "Save note"), label)
    assert read_notes(run).text == expected == app.text_area[0].value
    assert not app.warning


def test_an_unedited_window_follows_changes(run: Run) -> None:
    app = open_notes()
    write_notes(run, text="New words", add=["new"])
    app = app.run()
    assert app.text_area[0].value == "New words" and app.multiselect[0].value == ["new"]
    assert not app.warning


def test_trailing_space_is_no_conflict(run: Run) -> None:
    app = press(type_note(open_notes(), "Words \n\n"), "Save note")
    assert read_notes(run).text == "Words"
    assert "Not saved" not in page_text(app.run()) and not app.warning


def test_a_damaged_notes_file_is_reported_and_kept(run: Run) -> None:
    run.path(NOTES_FILE).write_text("{")
    app = open_notes()
    assert "is damaged" in page_text(app) and not app.text_area
    assert run.path(NOTES_FILE).read_text() == "{"


def test_a_missing_run_is_reported(store: Settings) -> None:
    assert "no run 'one'" in page_text(open_notes())
