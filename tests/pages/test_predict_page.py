"""The Predict page: uploaded and sample photos."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import list_datasets
from fer_core.data.synthetic.face import draw_face
from fer_core.labels import Expression
from fer_core.settings import Settings
from fer_ui.navigation import Page
from fer_ui.predict.sample_photos import SAMPLE_PHOTOS
from tests.pages.conftest import OpenPage
from tests.support.app_test import page_text
from tests.support.texts import assert_mentions


def test_two_photos_have_a_result_each(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.PREDICT, view="whole")
    app.file_uploader[0].set_value([_photo("a.png", Expression.ANGER), _photo("b.png", Expression.HAPPINESS)]).run()
    assert not app.exception
    assert "2 faces found in 2 photos" in page_text(app)
    assert len(get_downloads(app)) == 2


def test_a_file_that_is_no_image_is_refused_with_a_message(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.PREDICT, view="whole")
    app.file_uploader[0].set_value([("holiday.jpg", b"not an image", "image/jpeg")]).run()
    assert "holiday.jpg" in app.error[0].value.replace("\\", "")
    assert "face found" not in page_text(app)
    assert get_downloads(app), "the tables list the file with its problem"


def test_a_photo_can_have_any_extension(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.PREDICT, view="whole")
    assert not app.file_uploader[0].proto.type
    _, content, kind = _photo("a.png", Expression.ANGER)
    app.file_uploader[0].set_value([("a.jfif", content, kind), ("b", content, "application/octet-stream")]).run()
    assert "2 faces found in 2 photos" in page_text(app)


@pytest.mark.parametrize("name", SAMPLE_PHOTOS)
def test_a_sample_opens_by_its_link_and_is_read(
    store: Settings, open_page: OpenPage, yunet_file: object, name: str
) -> None:
    app = open_page(Page.PREDICT, sample=name)
    assert not app.exception
    assert not app.error
    faces = {"astronaut": 1, "four-faces": 4}[name]
    assert_mentions(page_text(app), f"{faces} face", SAMPLE_PHOTOS[name].credit, "Happiness")
    assert SAMPLE_PHOTOS[name].file.stat().st_size < 60_000


def test_the_page_says_what_the_balanced_point_changes(
    store: Settings, open_page: OpenPage, yunet_file: object
) -> None:
    text = page_text(open_page(Page.PREDICT, sample="four-faces"))
    assert "Balanced would change 1 of 4 predictions." in text
    assert "below the 59.7 % needed" in text
    assert "Balanced changes 1 of 4 predictions." in page_text(
        open_page(Page.PREDICT, sample="four-faces", point="balanced")
    )
    assert "Both operating points agree." in page_text(open_page(Page.PREDICT, sample="astronaut"))


def test_a_corrected_face_is_saved_only_when_the_person_agrees(
    store: Settings, open_page: OpenPage, yunet_file: object
) -> None:
    app = open_page(Page.PREDICT, sample="four-faces")
    app.selectbox(key=element_key(app.selectbox, "feedback-face")).set_value(2).run()
    app.pills(key=element_key(app.pills, "feedback-label")).set_value(Expression.DISGUST).run()
    save = element_key(app.button, "feedback-save")
    assert app.button(key=save).disabled, "not before the person agrees"
    app.checkbox(key=element_key(app.checkbox, "feedback-consent")).check().run()
    assert list_datasets(store) == []
    app.button(key=save).click().run()
    assert not app.exception and "Saved as disgust" in page_text(app)
    (dataset,) = list_datasets(store)
    assert (dataset.id, dataset.n, str(dataset.index()["label"][0])) == ("feedback", 1, "disgust")
    app.button(key=element_key(app.button, "feedback-undo")).click().run()
    assert list_datasets(store) == [] and "Saved as" not in page_text(app)


def test_a_sample_is_one_click_away_and_in_the_address(
    store: Settings, open_page: OpenPage, yunet_file: object
) -> None:
    app = open_page(Page.PREDICT, point="balanced")
    app.button(key="picture-sample-astronaut").click().run()
    assert (app.query_params["sample"], app.query_params["point"]) == ("astronaut", "balanced")
    assert "1 face found" in page_text(app)


def test_uploaded_photos_replace_the_sample(store: Settings, open_page: OpenPage, yunet_file: object) -> None:
    app = open_page(Page.PREDICT, view="whole", sample="astronaut")
    app.file_uploader[0].set_value([_photo("mine.png", Expression.ANGER)]).run()
    assert "sample" not in app.query_params
    assert "mine.png" in page_text(app) and "astronaut" not in page_text(app)
    app.button(key="text-sample-astronaut").click().run()
    assert "astronaut.jpg" in page_text(app) and "mine.png" not in page_text(app)


def test_a_sample_that_is_gone_says_so_and_offers_the_others(store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.PREDICT, sample="gone")
    assert "'gone'" in app.warning[0].value
    assert app.query_params["sample"] == "gone"
    assert app.button(key="picture-sample-four-faces")


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("empty.jpg", b"", ("empty", "0 bytes", "JPEG")),
        ("notes.txt", b"hello there", ("notes.txt", "not an image", "HEIC")),
        ("cut.heic", b"\0\0\0\x18ftypheic\0\0\0\0heicmif1", ("cut.heic", "HEIC", "damaged")),
    ],
)
def test_an_unreadable_file_is_refused_in_words(
    store: Settings, open_page: OpenPage, name: str, content: bytes, texts: tuple[str, ...]
) -> None:
    app = open_page(Page.PREDICT, view="whole")
    app.file_uploader[0].set_value([(name, content, "image/heic")]).run()
    (error,) = app.error
    assert_mentions(error.value.replace("\\", ""), *texts)
    assert "Errno" not in error.value and "Traceback" not in error.value


def test_a_photo_with_too_many_pixels_names_value_limit_and_remedy(
    store: Settings, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_ui.predict.results_view.settings", lambda: Settings(image_pixels_max=1000))
    app = open_page(Page.PREDICT, view="whole")
    app.file_uploader[0].set_value([_photo("large.png", Expression.ANGER)]).run()
    assert_mentions(app.error[0].value.replace("\\", ""), "large.png", "128x128", "limit", "FERSCOPE_IMAGE_PIXELS_MAX")


def get_downloads(app: AppTest) -> list[str]:
    """The labels of the downloads of all predictions."""
    labels = [button.proto.label for button in app.get("download_button")]  # type: ignore[union-attr]
    return [label for label in labels if label.startswith("Predictions")]


def _photo(name: str, expression: Expression) -> tuple[str, bytes, str]:
    content = io.BytesIO()
    Image.fromarray(draw_face(expression, 3, np.random.default_rng(5), 128)).save(content, "PNG")
    return name, content.getvalue(), "image/png"


def element_key(elements: Sequence[Any], start: str) -> str:
    """The key of the only element whose key begins so."""
    (key,) = [each.key for each in elements if str(each.key).startswith(start)]
    return str(key)
