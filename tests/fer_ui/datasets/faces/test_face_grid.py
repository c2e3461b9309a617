"""Paginated grid of faces: loading, selection and pairs."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_ui.datasets.faces import face_grid, thumbnails
from fer_ui.datasets.faces.face_grid import FACES_PER_PAGE, PAIRS_PER_PAGE
from fer_ui.datasets.faces.gallery_cells import gallery_faces
from fer_ui.datasets.faces.gallery_component import Command, _parse_event
from fer_ui.resources import load_index
from tests.fer_ui.datasets.small_dataset import BROKEN, TOTAL, open_view
from tests.support.app_test import page_text, press
from tests.support.gallery import gallery, select, shown_ids

GALLERY_CSS = Path(face_grid.__file__).with_name("gallery.css").read_text()


def turn_page(app: AppTest, page: int, key: str = "faces") -> AppTest:
    app.session_state[f"{key}-page"] = page
    return app.run()


def view() -> None:
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.faces.face_grid import show_faces
    from fer_ui.resources import load_index

    dataset = open_dataset("small", settings())
    show_faces(dataset, load_index(dataset), "faces", reason="a look")


def pairs() -> None:
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.faces.face_grid import show_pairs
    from fer_ui.resources import load_index

    dataset = open_dataset("small", settings())
    rows = load_index(dataset)
    left, right = rows.iloc[[0] * 14], rows.iloc[1:15]
    show_pairs(dataset, left, right, [f"pair {index}" for index in range(14)], "pairs")


def unequal_pairs() -> None:
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.faces.face_grid import show_pairs
    from fer_ui.resources import load_index

    dataset = open_dataset("small", settings())
    show_pairs(dataset, load_index(dataset).iloc[:1], load_index(dataset).iloc[:2], [""], "pairs")


def event() -> None:
    """Take over an event of the browser from the query, and show the faces."""
    import json

    import streamlit as st

    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.faces import face_grid
    from fer_ui.datasets.faces.gallery_component import Command, GalleryEvent
    from fer_ui.datasets.faces.selection import Selection
    from fer_ui.resources import load_index

    dataset = open_dataset("small", settings())
    ids = load_index(dataset)["id"].tolist()
    selection = Selection("faces", dataset.corrections().version)
    if sent := st.query_params.pop("event", ""):
        revision, selected, commands = json.loads(sent)
        revision = f"{selection.revision}-0" if revision == "now" else revision
        named = [Command(*command) for command in commands]
        received = GalleryEvent(revision, [ids[number] for number in selected], named)
        face_grid._receive(dataset, selection, ids[:72], "faces", "a look", received)
    face_grid.show_faces(dataset, load_index(dataset), "faces", reason="a look")


def send(selected: list[int], *commands: list[str], revision: str = "now") -> AppTest:
    return open_view(event, event=json.dumps([revision, selected, commands]))


def test_a_page_loads_only_its_own_faces(small: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    read_paths: list[str] = []
    iter_images = thumbnails.iter_images

    def record_paths(source: object, faces: list[thumbnails.FaceRef]) -> object:
        read_paths.extend(face.path for face in faces)
        return iter_images(source, faces)  # type: ignore[arg-type]

    monkeypatch.setattr(thumbnails, "iter_images", record_paths)
    app = open_view(view)
    paths = small.index(["path"])["path"].tolist()
    assert read_paths == paths[:FACES_PER_PAGE]
    app = turn_page(app, 2)
    assert read_paths == paths
    turn_page(app, 1)
    assert read_paths == paths  # cached


@pytest.mark.parametrize("columns", [2, 3, 4, 6, 8, 9, 12, 18])
def test_a_page_fills_whole_rows(columns: int) -> None:
    assert FACES_PER_PAGE % columns == 0
    assert f"repeat({columns}, minmax(0, 1fr))" in GALLERY_CSS


def test_the_last_page_has_the_rest(small: StoredDataset) -> None:
    app = turn_page(open_view(view), 2)
    assert shown_ids(app) == small.index(["id"])["id"].tolist()[FACES_PER_PAGE:]


def test_selections_persist_across_pages(small: StoredDataset) -> None:
    ids = small.index(["id"])["id"].tolist()
    app = select(open_view(view), "faces", ids[2])
    assert gallery(app)["selected"] == [ids[2]]
    app = turn_page(app, 2)
    assert gallery(app)["selected"] == []
    assert "1 image selected" in page_text(app)
    app = turn_page(press(app, "Select page"), 1)
    assert gallery(app)["selected"] == [ids[2]]
    assert f"{TOTAL - FACES_PER_PAGE + 1} images selected" in page_text(app)
    app = press(app, f"Select all {TOTAL}")
    assert gallery(app)["selected"] == ids[:FACES_PER_PAGE] and f"{TOTAL} images selected" in page_text(app)
    app = press(app, "Clear")
    assert gallery(app)["selected"] == [] and "None selected" in page_text(app)


def test_the_browser_takes_over_a_selection_only_when_the_page_changed_it(small: StoredDataset) -> None:
    app = open_view(view)
    before = gallery(app)["revision"]
    assert gallery(app.run())["revision"] == before
    assert gallery(press(app, "Select page"))["revision"] != before


def test_a_tick_selects_and_one_of_an_earlier_state_is_ignored(small: StoredDataset) -> None:
    app = send([1, 4])
    ids = small.index(["id"])["id"].tolist()
    assert gallery(app)["selected"] == [ids[1], ids[4]]
    assert "None selected" in page_text(send([1, 4], revision="old"))


def test_keys_correct_the_selection_or_the_face_with_the_focus(small: StoredDataset) -> None:
    ids = small.index(["id"])["id"].tolist()
    send([1, 4], ["relabel", ids[7], "fear"])
    change = small.corrections().history()[0]
    assert (change.action, change.ids, change.label) == (Action.RELABEL, (ids[1], ids[4]), "fear")
    app = send([], ["exclude", ids[7]])
    assert small.corrections().history()[0].ids == (ids[7],)
    assert [face["id"] for face in gallery(app)["faces"] if face["excluded"]] == [ids[7]]
    send([], ["undo", ids[0]])
    assert small.corrections().history()[0].action is Action.UNDO
    assert not small.index(["id"])["excluded"].any()


def test_a_repeated_command_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})
    entry = {"number": 1, "name": "exclude", "id": "a", "label": ""}
    value = {"revision": "r", "selected": ["a"], "commands": [entry]}
    first, second = (_parse_event(value, "gallery") for _ in range(2))
    assert first.commands == [Command("exclude", "a")] and not second.commands
    assert second.selected == ["a"]


def test_keys_do_not_correct_many_images_without_asking(small: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_ui.datasets.faces.face_grid.CONFIRM_ABOVE", 1)
    app = send([1, 4], ["exclude", small.index(["id"])["id"].iloc[0]])
    assert small.corrections().version == 0
    assert "2 images are selected" in app.error[0].value


def test_selected_faces_are_corrected_and_then_unselected(small: StoredDataset) -> None:
    app = press(press(open_view(view), "Select page"), "Exclude")
    change = small.corrections().history()[0]
    assert list(change.ids) == small.index(["id"])["id"].tolist()[:FACES_PER_PAGE]
    assert change.reason == "a look"
    assert not gallery(app)["selected"]
    assert all(face["excluded"] and face["badge"] == "Excluded" for face in gallery(app)["faces"])


def test_a_face_that_cannot_be_read_has_the_reason_instead_of_a_picture(small: StoredDataset) -> None:
    app = open_view(view)
    faces = gallery(app)["faces"] + gallery(turn_page(app, 2))["faces"]
    broken = small.index().set_index("path").loc[BROKEN, "problem"]
    assert [face["problem"] for face in faces if not face["picture"]] == [broken]


def test_no_rows_say_so(small: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = load_index(small).iloc[:0]
    monkeypatch.setattr("fer_ui.resources.load_index", lambda dataset: empty)
    app = open_view(view)
    assert not app.exception and "There are no faces to show." in page_text(app)


def test_missing_images_show_the_error(small: StoredDataset) -> None:
    small.source_path.rename(small.source_path.with_name("elsewhere"))
    app = open_view(view)
    assert not app.exception
    assert "are no longer at" in app.error[0].value.replace("\\", "")


def test_pairs_are_shown_side_by_side_with_notes(small: StoredDataset) -> None:
    app = open_view(pairs)
    assert not app.exception and not app.error
    ids = small.index(["id"])["id"].tolist()
    assert shown_ids(app)[:4] == [ids[0], ids[1], ids[0], ids[2]]
    assert gallery(app)["notes"] == [f"pair {number}" for number in range(PAIRS_PER_PAGE)]
    app = turn_page(app, 2, "pairs")
    assert gallery(app)["notes"] == ["pair 12", "pair 13"] and len(shown_ids(app)) == 4


def test_pairs_of_different_lengths_are_rejected(small: StoredDataset, caplog: pytest.LogCaptureFixture) -> None:
    assert open_view(unequal_pairs).exception
    assert "1 left faces, 2 right ones and 1 notes make no pairs" in caplog.text


def test_a_face_is_described_in_plain_words(small: StoredDataset) -> None:
    row = load_index(small).iloc[[0]]
    (face,) = gallery_faces(small, row, lambda row: "a guess")
    split = {"train": "Training", "test": "Test"}[row["split"].iloc[0]]
    label = str(row["label"].iloc[0]).capitalize()
    assert (face["title"], face["details"], face["badge"]) == (label, ["a guess", split], "")
    assert face["picture"].startswith("data:image/png;base64,")


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3), (100, 60), (500, 400, 3), (192, 192), (1, 1), (3, 900)])
def test_thumbnails_have_one_size_and_keep_gray(shape: tuple[int, ...]) -> None:
    face = np.full(shape, 77, np.uint8)
    square = thumbnails.fit_square(face)
    side = min(thumbnails.THUMBNAIL_PX, max(shape[:2]))
    assert square.shape == (side, side, *shape[2:]) and square.dtype == np.uint8
    longest = max(shape[:2])
    area = (shape[0] / longest) * (shape[1] / longest)
    assert (square == 77).mean() == pytest.approx(area, abs=0.02)


@pytest.mark.parametrize(("side", "shown"), [(48, 480), (100, 400), (300, 300), (2000, 1600)])
def test_a_large_view_enlarges_small_faces_by_whole_factors(side: int, shown: int) -> None:
    face = np.random.default_rng(0).integers(0, 256, (side, side), dtype=np.uint8)
    large = thumbnails.enlarge(face)
    assert large.shape == (shown, shown)
    if shown >= side:
        step = shown // side
        assert (large[::step, ::step] == face).all() and (large[step - 1 :: step, step - 1 :: step] == face).all()


def test_thumbnails_are_those_of_the_rows(small: StoredDataset) -> None:
    rows = small.index()
    files = thumbnails.load_thumbnails(small, pd.concat([rows.iloc[[5, 0]], rows[rows["path"] == BROKEN]]))
    assert files[2] is None
    thumbnail_images = [cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_GRAYSCALE) for file in files if file]
    assert [image.shape for image in thumbnail_images] == [(12, 12)] * 2
    assert [image.mean() for image in thumbnail_images] == pytest.approx(rows["brightness"].iloc[[5, 0]].tolist())
