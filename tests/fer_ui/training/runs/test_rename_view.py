"""The form that renames a run."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.runs.folder import Run
from fer_core.runs.notes import read_notes
from fer_core.settings import Settings
from tests.support.app_test import press
from tests.support.runs import make_run

AUTOMATIC = "FER+ · small-se-resnet · s0"


def page() -> None:
    from fer_core.runs.folder import open_run
    from fer_core.settings import settings
    from fer_ui.training.rename_view import show_rename_form

    show_rename_form(open_run("one", settings()))


@pytest.fixture
def run(store: Settings) -> Run:
    return make_run("one", store)


def rename(app: AppTest, name: str) -> AppTest:
    app.text_input[0].set_value(name)
    return press(app, "Save")


def test_a_run_gets_a_name_and_its_automatic_title_back(run: Run) -> None:
    app = AppTest.from_function(page).run()
    assert app.text_input[0].value == AUTOMATIC
    assert not [button for button in app.button if button.label == "Use the automatic title"]
    app = rename(app, " Best  so far ")
    assert not app.exception and read_notes(run).title == "Best so far"
    app = press(AppTest.from_function(page).run(), "Use the automatic title")
    assert read_notes(run).title == ""
    rename(AppTest.from_function(page).run(), AUTOMATIC)
    assert read_notes(run).title == "", "the automatic title is not a name"


def test_an_empty_name_is_refused_in_words(run: Run) -> None:
    app = rename(AppTest.from_function(page).run(), "   ")
    assert app.error[0].value.startswith("A run needs a name.")
    assert read_notes(run).title == ""
