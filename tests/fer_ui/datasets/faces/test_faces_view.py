"""The section Faces: filters, order and counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_ui.datasets.faces.faces_view import ALL, PROBLEM, SHUFFLES, UNLABELED, USED, Filter, find_matching, sort_rows
from fer_ui.image_labels import NO_SPLIT
from tests.fer_ui.datasets.small_dataset import BROKEN, DATASET, IGNORED, TOTAL, TRAIN, open_view
from tests.support.app_test import page_text


def view() -> None:
    import streamlit as st

    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.faces.faces_view import show_faces_section
    from fer_ui.navigation import build_pages

    st.navigation(list(build_pages().values()))
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


def test_the_query_filters_and_the_count_is_shown(small: StoredDataset) -> None:
    app = open_view(view, label="happiness", split="train")
    assert not app.exception and not app.error
    assert f"**{TRAIN['happiness']} images** of {TOTAL}" in page_text(app)
    assert len(app.get("image")) == TRAIN["happiness"] - 1  # one is broken
    assert BROKEN in page_text(app)
    app.selectbox(key="label").set_value("left_out").run()
    app.button_group(key="split").set_value("all").run()
    assert f"**{IGNORED} images**" in page_text(app)
    assert app.query_params["label"] == "left_out"


def test_only_values_that_occur_are_offered(small: StoredDataset) -> None:
    app = open_view(view)
    labels = app.selectbox(key="label").options
    assert labels == ["Any", "Neutral", "Happiness", "Fear", "No expression", "No expression: label ignored"]
    assert app.button_group(key="split").options == ["All splits", "Training", "Test"]


def test_no_match_is_an_empty_state_with_a_way_back(small: StoredDataset) -> None:
    app = open_view(view, find="nowhere", label="fear")
    assert app.subheader[0].value == "No images match"
    assert not app.get("image")
    assert f"dataset={DATASET}" in app.get("page_link")[0].proto.query_string


def test_another_filter_starts_at_the_first_page(small: StoredDataset) -> None:
    app = open_view(view, page="2")
    assert f"Faces 37 to 72 of {TOTAL}." in page_text(app)
    app.selectbox(key="label").set_value("neutral").run()
    assert "Faces 1 to 36 of 46." in page_text(app)
    assert app.query_params["page"] == "1"
    on_second_page = open_view(view, page="2", label="neutral")
    assert "Faces 37 to 46 of 46." in page_text(on_second_page)


def test_faces_are_filtered_by_correction(small: StoredDataset) -> None:
    ids = small.index(["id"])["id"].tolist()
    corrections = small.corrections()
    corrections.mark(Action.EXCLUDE, ids[:3], "blurred")
    corrections.mark(Action.RELABEL, ids[3:5], label="anger")
    assert "**3 images**" in page_text(open_view(view, mark="excluded"))
    app = open_view(view, mark="relabeled")
    assert [box.label for box in app.checkbox if "selected" in str(box.key)] == ["Anger", "Anger"]
