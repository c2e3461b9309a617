"""The dialog of one face: what it shows, where it goes and what it corrects."""

from __future__ import annotations

from html import unescape

import numpy as np
import pandas as pd
import pytest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.labels import Expression
from fer_ui.datasets.faces.face_bars import bars_html
from fer_ui.datasets.faces.face_details import describe_measures, describe_prediction_of, find_neighbors
from fer_ui.datasets.faces.face_dialog import neighbors_in
from fer_ui.datasets.faces.predicted import Predicted, describe_prediction
from tests.fer_ui.datasets.small_dataset import open_view
from tests.support.app_test import page_html, page_text, press


def view() -> None:
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.faces.face_grid import show_faces
    from fer_ui.resources import load_index

    dataset = open_dataset("small", settings())
    show_faces(dataset, load_index(dataset), "faces", in_query=True)


def keys() -> None:
    import streamlit as st

    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.faces.face_dialog import _press
    from fer_ui.resources import load_index

    dataset = open_dataset("small", settings())
    steps = {"ArrowLeft": None, "ArrowRight": 5}
    _press(st.query_params["key"], dataset, st.query_params["id"], load_index(dataset), steps, "a look")


def test_a_face_of_the_address_is_shown_large_with_its_place(small: StoredDataset) -> None:
    ids = small.index(["id"])["id"].tolist()
    app = open_view(view, face=ids[2])
    assert not app.exception and not app.error
    assert f"3 of {len(ids)}" in page_text(app)
    assert 'class="ferscope-face"><img src="data:image/png;base64,' in page_html(app)
    assert "12 × 12 px" in page_text(app) and "Quality findings" in page_text(app)
    app = press(app, "Next")
    assert app.query_params["face"] == ids[3] and f"4 of {len(ids)}" in page_text(app)
    app = press(press(app, "Previous"), "Previous")
    assert app.query_params["face"] == ids[1]


def test_the_first_face_has_no_previous_one(small: StoredDataset) -> None:
    app = open_view(view, face=small.index(["id"])["id"].iloc[0])
    assert [button.disabled for button in app.button if button.label in ("Previous", "Next")] == [True, False]


def test_a_face_that_is_not_in_the_dataset_says_so(small: StoredDataset) -> None:
    app = open_view(view, face="gone.png")
    assert "no image 'gone.png'" in app.warning[0].value.replace("\\", "")


def test_a_face_is_corrected_in_the_dialog_and_stays_open(small: StoredDataset) -> None:
    image_id = small.index(["id"])["id"].iloc[2]
    app = open_view(view, face=image_id)
    app.button(key="face-corrections-relabel-anger").click().run()
    change = small.corrections().history()[0]
    assert (change.action, change.ids, change.label) == (Action.RELABEL, (image_id,), "anger")
    assert app.query_params["face"] == image_id
    assert any(heading.value.startswith("Anger") for heading in app.subheader)
    app.button(key="face-corrections-back").click().run()
    assert small.corrections().history()[0].action is Action.UNDO


@pytest.mark.parametrize(
    ("key", "action", "label"),
    [("x", Action.EXCLUDE, ""), ("a", Action.AMBIGUOUS, ""), ("5", Action.RELABEL, "fear")],
)
def test_keys_correct_the_face(small: StoredDataset, key: str, action: Action, label: str) -> None:
    image_id = small.index(["id"])["id"].iloc[2]
    assert not open_view(keys, key=key, id=image_id).exception
    change = small.corrections().history()[0]
    assert (change.action, change.ids, change.label) == (action, (image_id,), label)
    open_view(keys, key="u", id=image_id)
    assert small.corrections().history()[0].action is Action.UNDO


def test_arrow_keys_go_on_and_stop_at_the_end(small: StoredDataset) -> None:
    ids = small.index(["id"])["id"].tolist()
    assert open_view(keys, key="ArrowRight", id=ids[4]).query_params["face"] == ids[5]
    assert "face" not in open_view(keys, key="ArrowLeft", id=ids[4]).query_params


def test_places_follow_the_order_of_the_list() -> None:
    numbers = np.array([7, 2, 9])
    assert neighbors_in(numbers, 2) == (1, 7, 9)
    assert neighbors_in(numbers, 7) == (0, None, 2)
    assert neighbors_in(numbers, 5) == (None, None, None)


def test_neighbors_are_found_on_both_sides_of_a_pair() -> None:
    pairs = pd.DataFrame({"a": [0, 1, 2], "b": [1, 3, 3], "similarity": [0.96, 0.99, 1.0]})
    assert find_neighbors(pairs, 1)["row"].tolist() == [3, 0]
    assert find_neighbors(pairs, 5).empty


def test_bars_show_votes_beside_probabilities() -> None:
    html = bars_html({"neutral": 6, "fear": 2, "unknown": 2, "not_a_face": 0}, {Expression.FEAR: 0.25})
    assert "Votes (10)" in html and "width:60.0%" in html and "25.0 %" in unescape(html).replace("\xa0", " ")
    assert "Unknown" in html and "Not a face" not in html
    assert "Votes" not in bars_html(None, {Expression.FEAR: 0.25})


def test_a_prediction_says_its_loss_and_whether_the_model_knows_the_image() -> None:
    labels = (Expression.NEUTRAL, Expression.FEAR)
    seen = np.array([True, False])
    predicted = Predicted(labels, np.array([[0.25, 0.75], [1, 0]], np.float32), np.array([1, 0]), seen)
    text = describe_prediction_of(predicted, 0, {"label": "neutral"}, "M")
    assert text.startswith("M reads it as fear (75.0 %); loss against the label: 1.39. The model was trained")
    assert describe_prediction_of(predicted, 1, {"label": None}, "M") == "M reads it as neutral (100.0 %)."


@pytest.mark.parametrize(("largest", "text"), [(0.57, "57.0 %"), (0.99996, ">99.9 %"), (1.0, "100.0 %")])
def test_a_gallery_never_rounds_a_confidence_up_to_certainty(largest: float, text: str) -> None:
    labels = (Expression.NEUTRAL, Expression.FEAR)
    predicted = Predicted(labels, np.array([[1 - largest, largest]], np.float32), np.array([1]), None)
    assert describe_prediction(predicted, {"a": 0}, {"id": "a"}) == f"\N{RIGHTWARDS ARROW} Fear {text}"


def test_measures_of_an_unreadable_image_say_so() -> None:
    assert describe_measures({"width": 0}) == "The image can't be read."
