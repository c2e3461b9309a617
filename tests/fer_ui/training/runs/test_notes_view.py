"""Notes and tags on a page: what is typed is saved, and no window's words are lost."""

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


def opened() -> AppTest:
    app = open_view(view, run="one")
    assert not app.exception
    return app


def type_note(app: AppTest, text: str) -> AppTest:
    return app.text_area[0].set_value(text).run()


def warned(app: AppTest) -> str:
    return " ".join(each.value for each in app.warning)


def test_a_note_is_saved_by_its_button_alone(run: Run) -> None:
    app = type_note(opened(), "It works.")
    assert read_notes(run).text == "" and "Not saved" in page_text(app)
    app = press(app, "Save note")
    assert read_notes(run).text == "It works."
    assert "Not saved" not in page_text(app) and "Last changed just now" in page_text(app)
    assert opened().text_area[0].value == "It works."


def test_tags_are_saved_at_once(run: Run, store: Settings) -> None:
    write_notes(make_run("two", store), add=["other"])
    app = opened()
    assert app.multiselect[0].options == ["other"]
    app = app.multiselect[0].set_value(["other", "My New Tag"]).run()
    assert read_notes(run).tags == ("my-new-tag", "other")
    assert app.multiselect[0].value == ["my-new-tag", "other"]
    app.multiselect[0].set_value(["other"]).run()
    assert read_notes(run).tags == ("other",)


def test_a_tag_that_can_not_be_one_is_refused_in_words(run: Run) -> None:
    write_notes(run, add=["good"])
    app = opened()
    app = app.multiselect[0].set_value(["good", "?!"]).run()
    assert not app.exception
    assert "can't be a tag" in page_text(app)
    assert app.multiselect[0].value == ["good"]
    assert "can't be a tag" not in page_text(app.run())


def test_tags_of_two_windows_are_put_together(run: Run) -> None:
    one, other = opened(), opened()
    one.multiselect[0].set_value(["mine"]).run()
    other = other.multiselect[0].set_value(["yours"]).run()
    assert read_notes(run).tags == ("mine", "yours")
    assert other.multiselect[0].value == ["mine", "yours"]


def test_a_note_that_changed_meanwhile_is_shown_and_neither_is_lost(run: Run) -> None:
    one, other = opened(), type_note(opened(), "Theirs")
    press(type_note(one, "Mine"), "Save note")
    other = press(other, "Save note")
    assert read_notes(run).text == "Mine"
    assert "changed in another window" in warned(other) and not other.error
    assert other.code[0].value == "Mine" and other.text_area[0].value == "Theirs"
    other = press(other, "Combine both")
    assert other.text_area[0].value == "Mine\n\nTheirs" and read_notes(run).text == "Mine"
    press(other, "Save note")
    assert read_notes(run).text == "Mine\n\nTheirs"


@pytest.mark.parametrize(("label", "kept"), [("Overwrite with mine", "Mine"), ("Discard mine", "Theirs")])
def test_a_conflict_is_ended_either_way(run: Run, label: str, kept: str) -> None:
    app = type_note(opened(), "Mine")
    write_notes(run, text="Theirs")
    app = press(press(app, "Save note"), label)
    assert read_notes(run).text == kept == app.text_area[0].value
    assert not app.warning


def test_a_window_where_nobody_writes_follows_the_others(run: Run) -> None:
    app = opened()
    write_notes(run, text="New words", add=["new"])
    app = app.run()
    assert app.text_area[0].value == "New words" and app.multiselect[0].value == ["new"]
    assert not app.warning


def test_a_note_with_space_at_its_end_is_no_conflict(run: Run) -> None:
    app = press(type_note(opened(), "Words \n\n"), "Save note")
    assert read_notes(run).text == "Words"
    assert "Not saved" not in page_text(app.run()) and not app.warning


def test_a_damaged_file_is_told_and_left_alone(run: Run) -> None:
    run.path(NOTES_FILE).write_text("{")
    app = opened()
    assert "is damaged" in page_text(app) and not app.text_area
    assert run.path(NOTES_FILE).read_text() == "{"


def test_a_run_that_is_gone_is_told(store: Settings) -> None:
    assert "no run 'one'" in page_text(opened())
