from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action, Change
from fer_core.settings import Settings
from fer_ui.datasets.faces import correction_history
from fer_ui.datasets.faces.correction_history import CHANGES_PER_PAGE, describe_origin
from fer_ui.navigation import Page
from tests.support.app_test import page_html, page_text
from tests.support.faulty_dataset import BLANK, DUPLICATES, UNREADABLE, import_faulty
from tests.support.gallery import galleries, shown_ids

Open = Callable[[], AppTest]


@pytest.fixture
def dataset(store: Settings, tmp_path: Path) -> Iterator[StoredDataset]:
    for cache in (st.cache_resource, st.cache_data):
        cache.clear()
    yield import_faulty(tmp_path / "faces", store)
    for cache in (st.cache_resource, st.cache_data):
        cache.clear()


def page() -> None:
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.faces.correction_history import show_history

    show_history(open_dataset("faulty", settings()))


@pytest.fixture
def show(dataset: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> Open:
    def fake_link(page: Page, label: str, **query: str) -> None:
        st.markdown(f"{label}: {page} {query}")  # there are no pages to link to here

    monkeypatch.setattr(correction_history, "link_to", fake_link)
    return lambda: AppTest.from_function(page, default_timeout=60).run()


def test_without_corrections_there_is_an_empty_state_with_links(show: Open) -> None:
    app = show()
    assert not app.exception
    assert "No corrections yet" in page_text(app)
    assert "'section': 'quality'" in page_text(app)


def test_corrected_images_are_counted_and_changes_listed(show: Open, dataset: StoredDataset) -> None:
    corrections = dataset.corrections()
    corrections.mark(Action.EXCLUDE, [BLANK, UNREADABLE], "blank", "seen twice")
    corrections.mark(Action.RELABEL, [DUPLICATES[0]], "by hand", label="fear")
    app = show()
    text = page_text(app)
    assert "3 images of 48 are corrected, in 2 versions" in text
    assert ">2</dd>" in page_html(app) and ">1</dd>" in page_html(app)
    assert text.index("1 image relabeled as fear") < text.index("2 images excluded")  # the newest first
    assert "reason: Blank; “seen twice”" in text
    assert "reason: by hand" in text


def test_a_change_is_undone_and_redone(show: Open, dataset: StoredDataset) -> None:
    dataset.corrections().mark(Action.EXCLUDE, [BLANK], "blank")
    dataset.corrections().mark(Action.AMBIGUOUS, [DUPLICATES[0]], "conflict")
    app = show()
    app.button(key="history-faulty-1-back").click().run()
    assert dataset.index(["id"])["excluded"].sum() == 0
    assert dataset.index(["id"])["ambiguous"].sum() == 1
    assert "~~1 image excluded~~ undone" in page_text(app)
    assert "Version 1 reverted" in page_text(app)
    assert "Undone: 1 image excluded" in page_text(app)
    redo = app.button(key="history-faulty-1-back")
    assert redo.label == "Redo"
    redo.click().run()
    assert dataset.index(["id"])["excluded"].sum() == 1
    assert "Redone: 1 image excluded" in page_text(app)


def test_the_images_of_a_change_can_be_shown(show: Open, dataset: StoredDataset) -> None:
    dataset.corrections().mark(Action.EXCLUDE, [BLANK, DUPLICATES[0]], "blank")
    app = show()
    assert not galleries(app)
    app.toggle(key="history-faulty-1-shown").set_value(True).run()
    assert not app.exception
    assert set(shown_ids(app)) == {BLANK, DUPLICATES[0]}


def test_a_long_history_is_paginated(show: Open, dataset: StoredDataset) -> None:
    corrections = dataset.corrections()
    for _ in range(CHANGES_PER_PAGE + 3):
        corrections.mark(Action.AMBIGUOUS, [BLANK], "again")
    app = show()
    assert len(app.toggle) == CHANGES_PER_PAGE
    app.session_state["faulty-history-page"] = 2
    app.run()
    assert len(app.toggle) == 3


def test_corrections_of_missing_images_are_counted(show: Open, dataset: StoredDataset) -> None:
    dataset.corrections().mark(Action.EXCLUDE, ["gone.png", BLANK], "blank")
    assert "lacks 1 image" in show().info[0].value


def test_a_change_is_described_by_time_reason_and_note() -> None:
    change = Change(1, "2020-01-02T03:04:05+00:00", Action.EXCLUDE, ("a",), reason="no_face", note="dark")
    assert describe_origin(change).endswith("(2020-01-02 03:04 UTC); reason: No face found; “dark”")
