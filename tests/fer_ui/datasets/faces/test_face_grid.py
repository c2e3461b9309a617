"""Paginated grid of faces: loading, selection and pairs."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_core.data.catalog import StoredDataset
from fer_ui.datasets.faces import face_grid, thumbnails
from fer_ui.datasets.faces.face_grid import caption_html, placeholder_html
from fer_ui.resources import load_index
from tests.fer_ui.datasets.small_dataset import BROKEN, TOTAL, open_view, selected
from tests.support.app_test import page_text, press


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


def test_a_page_loads_only_its_own_faces(small: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    read_paths: list[str] = []
    iter_images = thumbnails.iter_images

    def record_paths(source: object, faces: list[thumbnails.FaceRef]) -> object:
        read_paths.extend(face.path for face in faces)
        return iter_images(source, faces)  # type: ignore[arg-type]

    monkeypatch.setattr(thumbnails, "iter_images", record_paths)
    app = open_view(view)
    paths = small.index(["path"])["path"].tolist()
    assert read_paths == paths[:36]
    press(app, "Next")
    assert read_paths == paths[:72]
    press(app, "Previous")
    assert read_paths == paths[:72]  # cached


def test_the_last_page_has_no_next_page(small: StoredDataset) -> None:
    app = open_view(view)
    last_page = -(-TOTAL // 36)
    assert f"of {last_page}" in page_text(app)
    app.number_input[0].set_value(last_page).run()
    assert f"Faces {36 * (last_page - 1) + 1} to {TOTAL} of {TOTAL}." in page_text(app)
    assert next(button for button in app.button if button.label == "Next").disabled
    assert len(selected(app)) == TOTAL - 36 * (last_page - 1)


def test_selections_persist_across_pages(small: StoredDataset) -> None:
    app = open_view(view)
    boxes = [box for box in app.checkbox if "-selected-" in str(box.key)]
    boxes[2].check().run()
    assert selected(app) == [index == 2 for index in range(36)]
    app = press(app, "Next")
    assert not any(selected(app))
    assert "1 of the selected faces is on other pages" in page_text(app)
    assert "1 image selected" in page_text(app)
    app = press(press(app, "Select this page"), "Previous")
    assert selected(app) == [index == 2 for index in range(36)]
    assert "37 images selected" in page_text(app)
    app = press(app, "Clear all 37")
    assert not any(selected(app)) and "None selected" in page_text(app)
    assert all(selected(press(app, "Select this page")))
    assert not any(selected(press(app, "Clear this page")))


def test_selected_faces_are_corrected_and_then_unselected(small: StoredDataset) -> None:
    app = press(press(open_view(view), "Select this page"), "Exclude")
    change = small.corrections().history()[0]
    assert list(change.ids) == small.index(["id"])["id"].tolist()[:36]
    assert change.reason == "a look"
    assert not any(selected(app)) and "None selected" in page_text(app)
    assert page_text(app).count(">excluded<") == 36


def test_a_face_that_cannot_be_read_has_a_frame_with_the_reason(small: StoredDataset) -> None:
    app = open_view(view)
    broken = small.index().set_index("path").loc[BROKEN, "problem"]
    frames = [element.proto.body for element in app.get("html") if "dashed" in element.proto.body]
    app = press(app, "Next")
    frames += [element.proto.body for element in app.get("html") if "dashed" in element.proto.body]
    assert len(frames) == 1 and broken in frames[0]


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
    assert len(app.get("image")) == 2 * face_grid.PAIRS_PER_PAGE
    assert "pair 0" in page_text(app) and "pair 12" not in page_text(app)
    app = press(app, "Next")
    assert "pair 13" in page_text(app) and len(app.get("image")) == 4


def test_a_face_in_several_pairs_is_selected_in_all_of_them(small: StoredDataset) -> None:
    app = open_view(pairs)
    next(box for box in app.checkbox if "-selected-" in str(box.key)).check().run()
    assert selected(app) == [True, False] * face_grid.PAIRS_PER_PAGE
    assert "1 image selected" in page_text(app)


def test_pairs_of_different_lengths_are_rejected(small: StoredDataset, caplog: pytest.LogCaptureFixture) -> None:
    assert open_view(unequal_pairs).exception
    assert "1 left faces, 2 right ones and 1 notes make no pairs" in caplog.text


def test_captions_are_plain_text() -> None:
    row = {"split": "train", "path": "<b>/a<i>.png", "excluded": True, "ambiguous": False, "relabeled": True}
    html = caption_html(row)
    assert ">excluded, relabeled</b>, training" in html
    assert "<b>" not in html and "<i>" not in html
    assert "<b>" not in placeholder_html("<b>")


def test_a_long_name_keeps_its_ends() -> None:
    marks = {"split": "train", "excluded": False, "ambiguous": False, "relabeled": False}
    assert ">fer0000001.png<" in caption_html({**marks, "path": "faces/fer0000001.png"})
    html = caption_html({**marks, "path": "faces/abigail_van_der_woodsen_123.jpg"})
    name = html.removesuffix("</div>").rsplit(">", 1)[-1]
    assert len(name) == 16 and name.startswith("abig") and name.endswith("123.jpg")


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3), (100, 60), (500, 400, 3), (192, 192), (1, 1), (3, 900)])
def test_thumbnails_have_one_size_and_keep_gray(shape: tuple[int, ...]) -> None:
    face = np.full(shape, 77, np.uint8)
    square = thumbnails.fit_square(face)
    side = thumbnails.THUMBNAIL_PX
    assert square.shape == (side, side, *shape[2:]) and square.dtype == np.uint8
    longest = max(shape[:2])
    area = (shape[0] / longest) * (shape[1] / longest)
    assert (square == 77).mean() == pytest.approx(area, abs=0.02)


def test_small_images_are_enlarged_by_whole_factors() -> None:
    face = np.arange(48 * 48, dtype=np.uint8).reshape(48, 48)
    square = thumbnails.fit_square(face)
    assert (square[::4, ::4] == face).all() and (square[3::4, 3::4] == face).all()


def test_thumbnails_are_those_of_the_rows(small: StoredDataset) -> None:
    rows = small.index()
    files = thumbnails.load_thumbnails(small, pd.concat([rows.iloc[[5, 0]], rows[rows["path"] == BROKEN]]))
    assert files[2] is None
    thumbnail_images = [cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_GRAYSCALE) for file in files if file]
    assert [image.shape for image in thumbnail_images] == [(192, 192)] * 2
    assert [image.mean() for image in thumbnail_images] == pytest.approx(rows["brightness"].iloc[[5, 0]].tolist())
