"""The section Faces: filters, order and counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_core.contract import Contract
from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.votes import VOTE_COLUMNS
from fer_core.evaluation.prediction_cache import PredictionKey, logit_table, write_predictions
from fer_core.labels import Expression
from fer_core.settings import Settings
from fer_core.text import format_duration
from fer_ui.datasets.faces.face_filter import ALL, PROBLEM, UNLABELED, USED, Filter, find_matching
from fer_ui.datasets.faces.face_order import SHUFFLES, OrderData, order_titles, sort_rows
from fer_ui.datasets.faces.predicted import Predicted
from fer_ui.image_labels import NO_SPLIT
from fer_ui.resources import active_model
from tests.fer_ui.datasets.small_dataset import BROKEN, DATASET, IGNORED, TOTAL, TRAIN, open_view
from tests.support.app_test import page_text
from tests.support.gallery import galleries, gallery, shown_ids


def view() -> None:
    import streamlit as st

    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.faces.faces_view import show_faces_section
    from fer_ui.navigation import build_pages

    st.navigation(list(build_pages().values()))
    show_faces_section(open_dataset("small", settings()))


def sections() -> None:
    import streamlit as st

    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.faces.faces_view import show_faces_section
    from fer_ui.datasets.remembered_view import note_section

    note_section(st.query_params["section"])
    if st.query_params["section"] == "faces":
        show_faces_section(open_dataset("small", settings()))


def _index() -> pd.DataFrame:
    index = pd.DataFrame(
        {
            "path": ["a/Face1.png", "a/face2.png", "b/face1.jpg", "b/[x].png", "b/5.png"],
            "split": ["train", "train", "test", None, None],
            "label": ["fear", "neutral", None, None, "fear"],
            "unlabeled": ["", "", "tie", "unknown", ""],
            "problem": ["", "tiny", "", "", ""],
        }
    ).astype({"path": "string", **dict.fromkeys(("split", "label", "unlabeled", "problem"), "category")})
    return index.assign(
        excluded=[True, False, False, False, False],
        ambiguous=[False, False, True, False, False],
        relabeled=[False, True, False, False, False],
    )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"label": "fear"}, [0, 4]),
        ({"label": UNLABELED}, [2, 3]),
        ({"label": "tie"}, [2]),
        ({"label": "anger"}, []),
        ({"split": "train"}, [0, 1]),
        ({"split": NO_SPLIT}, [3, 4]),
        ({"label": "fear", "split": "train"}, [0]),
        ({"mark": "excluded"}, [0]),
        ({"mark": USED}, [1, 2, 3, 4]),
        ({"mark": "ambiguous"}, [2]),
        ({"mark": "relabeled"}, [1]),
        ({"mark": PROBLEM}, [1]),
        ({"find": "FACE1"}, [0, 2]),
        ({"find": "[x]"}, [3]),
        ({"find": "face1", "label": "fear"}, [0]),
        ({"find": "nowhere"}, []),
    ],
)
def test_filters_select_the_matching_rows(filters: dict[str, Any], expected: list[int]) -> None:
    assert find_matching(_index(), Filter(**filters)).tolist() == expected


def test_shuffling_keeps_all_rows_and_is_reproducible() -> None:
    rows = np.arange(100, 200)
    assert sort_rows(rows, ALL) is rows
    orders = [sort_rows(rows, seed) for seed in SHUFFLES]
    assert all(sorted(order) == rows.tolist() for order in orders)
    assert (orders[0] == sort_rows(rows, SHUFFLES[0])).all()
    assert len({tuple(order) for order in orders}) == len(SHUFFLES)


def _order_data(**details: list[float]) -> OrderData:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [np.nan, np.nan], [0.6, 0.4]], np.float32)
    labels = (Expression.NEUTRAL, Expression.FEAR)
    predicted = Predicted(labels, probabilities, np.array([0, 1, -1, 0]), None)
    given = pd.Series(["neutral", "neutral", "fear", None], dtype="category")
    return OrderData(given, lambda: pd.DataFrame(details), predicted)


def test_loss_and_confidence_sort_the_suspicious_first_and_the_unknown_last() -> None:
    rows = np.arange(4)
    assert sort_rows(rows, "loss", _order_data()).tolist() == [1, 0, 2, 3]
    assert sort_rows(rows, "confidence", _order_data()).tolist() == [3, 1, 0, 2]
    assert sort_rows(rows, "loss", _order_data()._replace(predicted=None)).tolist() == [0, 1, 2, 3]


def test_sharpness_and_disagreement_sort_by_the_index() -> None:
    data = _order_data(sharpness=[3.0, 1.0, np.nan, 2.0])
    assert sort_rows(np.array([0, 1, 2, 3]), "blurred", data).tolist() == [1, 3, 0, 2]
    assert sort_rows(np.array([2, 3, 0]), "sharp", data).tolist() == [0, 3, 2]
    votes = {name: [0, 0, 0, 0] for name in VOTE_COLUMNS} | {
        VOTE_COLUMNS[0]: [9, 5, 0, 7],
        VOTE_COLUMNS[1]: [1, 5, 0, 3],
    }
    assert sort_rows(np.arange(4), "disagreement", _order_data(**votes)).tolist() == [1, 3, 0, 2]


def test_orders_without_their_column_are_not_offered() -> None:
    assert {"disagreement", "blurred", "sharp"}.isdisjoint(order_titles(["id"]))
    assert set(order_titles(["sharpness", VOTE_COLUMNS[0]])) >= {"disagreement", "blurred", "sharp", "loss"}


def test_a_finding_combines_with_the_other_filters() -> None:
    rows = np.array([0, 3, 4])
    assert find_matching(_index(), Filter(label="fear", finding="blurred"), rows).tolist() == [0, 4]


def test_the_query_filters_and_the_count_is_shown(small: StoredDataset) -> None:
    app = open_view(view, label="happiness", split="train")
    assert not app.exception and not app.error
    assert f"**{TRAIN['happiness']} images** of {TOTAL}" in page_text(app)
    faces = gallery(app)["faces"]
    assert len(faces) == TRAIN["happiness"]
    assert [face["path"] for face in faces if not face["picture"]] == [BROKEN]
    app.selectbox(key="label").set_value("left_out").run()
    app.selectbox(key="split").set_value("all").run()
    assert f"**{IGNORED} images**" in page_text(app)
    assert app.query_params["label"] == "left_out"


def test_only_values_that_occur_are_offered(small: StoredDataset) -> None:
    app = open_view(view)
    labels = app.selectbox(key="label").options
    assert labels == ["Any expression", "Neutral", "Happiness", "Fear", "No expression", "No expression: label ignored"]
    assert app.selectbox(key="split").options == ["Any split", "Training", "Test"]


def test_no_match_is_an_empty_state_and_reset_shows_all(small: StoredDataset) -> None:
    app = open_view(view, find="nowhere", label="fear", order="sharp")
    assert app.subheader[0].value == "No images match"
    assert not galleries(app)
    app.button(key="reset-empty").click().run()
    assert f"**{TOTAL} images**" in page_text(app)
    assert app.query_params["order"] == "sharp" and "label" not in app.query_params


def test_another_filter_starts_at_the_first_page(small: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = small.index(["id", "label"])
    app = open_view(view, page="2")
    assert shown_ids(app) == ids["id"].tolist()[72:]
    app.selectbox(key="label").set_value("neutral").run()
    assert shown_ids(app) == ids["id"][ids["label"] == "neutral"].tolist()
    assert "page" not in app.query_params


def test_an_order_without_predictions_offers_them(small: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted = []
    name = "fer_ui.datasets.faces.prediction_choice"
    monkeypatch.setattr(f"{name}.estimate_seconds", lambda dataset, model: 90.0)
    monkeypatch.setattr(f"{name}.submit_prediction", lambda *args: submitted.append(args[:2]))
    app = open_view(view, order="loss")
    assert not app.exception
    assert "Loss needs predictions." in page_text(app) and f"Takes about {format_duration(90.0)}" in page_text(app)
    assert shown_ids(app) == small.index(["id"])["id"].tolist()[:72]
    app.button(key="predict-main").click().run()
    assert submitted == [(DATASET, "default")]


def test_stored_predictions_are_shown_and_sorted_by(small: StoredDataset, store: Settings) -> None:
    model = active_model()
    contract = Contract.load(model.folder / "contract.json")
    index = small.index(["id", "label"])
    logits = np.zeros((len(index), len(contract.labels)), np.float32)
    logits[:, 0] = np.linspace(5, 8, len(index))
    path = PredictionKey.of(small.fingerprint, model.folder).path(store)
    write_predictions(logit_table(index["id"], logits, contract), path)
    app = open_view(view, order="confidence")
    assert not app.exception and not app.error
    assert shown_ids(app) == index["id"].tolist()[:72]
    assert gallery(app)["faces"][0]["details"][0].startswith("\N{RIGHTWARDS ARROW} ")
    assert f"{TOTAL} faces predicted" in page_text(app)
    losses = open_view(view, order="loss", label="happiness")
    happy = index["id"][index["label"] == "happiness"].tolist()
    assert shown_ids(losses) == happy[::-1]  # the surer of neutral, the larger the loss


def test_filters_are_remembered_for_the_return_from_another_section(small: StoredDataset) -> None:
    app = open_view(sections, section="faces", label="fear")
    assert "**3 images**" in page_text(app)
    app.query_params["section"] = "classes"
    del app.query_params["label"]
    app.run()
    assert "**" not in page_text(app)
    app.query_params["section"] = "faces"
    app.run()
    assert "**3 images**" in page_text(app) and app.query_params["label"] == "fear"


def test_faces_are_filtered_by_correction(small: StoredDataset) -> None:
    ids = small.index(["id"])["id"].tolist()
    corrections = small.corrections()
    corrections.mark(Action.EXCLUDE, ids[:3], "blurred")
    corrections.mark(Action.RELABEL, ids[3:5], label="anger")
    assert "**3 images**" in page_text(open_view(view, mark="excluded"))
    app = open_view(view, mark="relabeled")
    assert [(face["title"], face["badge"]) for face in gallery(app)["faces"]] == [("Anger", "Relabeled")] * 2
