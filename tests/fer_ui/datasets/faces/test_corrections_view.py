from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.corrections.corrections import correction_counts
from fer_core.settings import Settings
from fer_ui.datasets.faces.corrections_view import CONFIRM_ABOVE
from tests.support.faulty_dataset import BLANK, DUPLICATES, import_faulty


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> Iterator[StoredDataset]:
    st.cache_resource.clear()
    yield import_faulty(tmp_path / "faces", store)
    st.cache_resource.clear()


def page() -> None:
    """Show a corrections bar for the images of the query. AppTest runs only the source, hence the imports."""
    import streamlit as st

    from fer_core.data.catalog import open_dataset
    from fer_core.data.corrections.correction_log import Action
    from fer_core.settings import settings
    from fer_ui.datasets.faces.corrections_view import (
        Correction,
        show_correction_button,
        show_corrections_bar,
        show_last_change,
    )

    dataset = open_dataset("faulty", settings())
    ids = [name for name in st.query_params.get("ids", "").split(",") if name]
    show_last_change(dataset, unless=["bar"])
    show_corrections_bar(dataset, ids, reason="blank", key="bar", show_last=bool(ids))
    change_count = [str(number) for number in range(int(st.query_params.get("many", 1)))]
    show_correction_button(
        dataset, "Exclude them all", Correction(Action.EXCLUDE, change_count, "many"), key="all", origin="head"
    )


DONE = ":material/check_circle: "
Open = Callable[..., AppTest]


@pytest.fixture
def show(dataset: StoredDataset) -> Open:
    def run_page(*ids: str, change_count: int = 1) -> AppTest:
        app = AppTest.from_function(page, default_timeout=60)
        app.query_params["ids"] = ",".join(ids)
        app.query_params["many"] = str(change_count)
        return app.run()

    return run_page


def counts(dataset: StoredDataset) -> tuple[int, int, int]:
    return tuple(correction_counts(dataset.index(["id"])).values())  # type: ignore[return-value]


def messages(app: AppTest) -> list[str]:
    texts = [str(element.value) for element in app.markdown]
    return [text.removeprefix(DONE) for text in texts if text.startswith(DONE)]


def test_without_images_nothing_can_be_pressed(show: Open) -> None:
    app = show()
    assert not app.exception
    assert all(
        app.button(key=f"bar-{action}").disabled for action in ("exclude", "ambiguous", "restore", "relabel-fear")
    )
    assert "None selected" in [element.value for element in app.markdown]


def test_images_are_excluded_undone_and_redone(show: Open, dataset: StoredDataset) -> None:
    app = show(BLANK, *DUPLICATES)
    app.button(key="bar-exclude").click().run()
    assert counts(dataset) == (3, 0, 0)
    assert messages(app) == ["3 images excluded"]
    change = dataset.corrections().history()[0]
    assert (change.action, change.ids, change.reason) == (Action.EXCLUDE, (BLANK, *DUPLICATES), "blank")
    app.button(key="bar-back").click().run()
    assert counts(dataset) == (0, 0, 0)
    assert messages(app) == ["Undone: 3 images excluded"]
    assert app.button(key="bar-back").label == "Redo"
    app.button(key="bar-back").click().run()
    assert counts(dataset) == (3, 0, 0)
    assert app.button(key="bar-back").label == "Undo"
    assert dataset.corrections().version == 3


def test_images_are_relabeled(show: Open, dataset: StoredDataset) -> None:
    app = show(*DUPLICATES)
    app.button(key="bar-relabel-fear").click().run()
    index = dataset.index(["id", "label"]).set_index("id")
    assert index.loc[list(DUPLICATES), "label"].tolist() == ["fear", "fear"]
    assert messages(app) == ["2 images relabeled as fear"]


def test_images_are_ambiguous_with_a_note_and_restored(show: Open, dataset: StoredDataset) -> None:
    app = show(BLANK)
    app.text_input(key="bar-note-0").input("  says Ann ").run()
    app.button(key="bar-ambiguous").click().run()
    assert dataset.corrections().history()[0].note == "says Ann"
    assert app.text_input(key="bar-note-1").value == ""  # a note belongs to one correction
    assert counts(dataset) == (0, 0, 1)
    app.button(key="bar-restore").click().run()
    assert counts(dataset) == (0, 0, 0)
    assert messages(app) == ["1 image restored"]


def test_correcting_many_images_asks_for_confirmation(show: Open, dataset: StoredDataset) -> None:
    assert show(change_count=CONFIRM_ABOVE).button(key="all").label == "Exclude them all"
    app = show(change_count=CONFIRM_ABOVE + 1)
    assert app.button(key="all").label == "Yes, all 101"  # the outer button opens a popover with this one
    assert any("101 images will be excluded" in element.value for element in app.markdown)
    app.button(key="all").click().run()
    assert len(dataset.corrections().history()[0].ids) == 101
    assert messages(app) == ["101 images excluded"]  # at the top of the page, which has no bar for it
    app.button(key="last-change-back").click().run()
    assert dataset.corrections().history()[0].action is Action.UNDO


def test_the_last_change_is_replaced_by_the_next(show: Open, dataset: StoredDataset) -> None:
    app = show(BLANK)
    app.button(key="bar-exclude").click().run()
    dataset.corrections().mark(Action.EXCLUDE, [DUPLICATES[0]], "elsewhere")
    assert messages(app.run()) == []


def test_a_failed_correction_shows_the_error(
    show: Open, dataset: StoredDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = show(BLANK)
    (dataset.folder / "corrections.jsonl").mkdir()
    app.button(key="bar-exclude").click()
    monkeypatch.setattr("fer_core.data.corrections.correction_log._read", lambda path: ((), 0))
    app.run()
    assert "were not saved" in app.error[0].value
    assert messages(app) == []
