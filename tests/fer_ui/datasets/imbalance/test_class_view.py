"""The section Classes."""

from __future__ import annotations

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_ui.datasets.imbalance.class_view import describe_other_images, labeled_counts
from tests.fer_ui.datasets.small_dataset import DATASET, IGNORED, TEST, TOTAL, TRAIN, open_view
from tests.support.app_test import charts, page_text
from tests.support.texts import assert_mentions


def view() -> None:
    import streamlit as st

    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.imbalance.class_view import show_classes
    from fer_ui.navigation import build_pages

    st.navigation(list(build_pages().values()))
    show_classes(open_dataset("small", settings()), st.container())


def get_links(app: AppTest) -> dict[str, str]:
    return {link.proto.label: link.proto.query_string for link in app.get("page_link")}


def test_the_headlines_count_labeled_images(small: StoredDataset) -> None:
    app = open_view(view)
    assert not app.exception and not app.error
    text = page_text(app)
    assert f">{TOTAL - IGNORED}<" in text
    assert_mentions(text, "imbalance ratio", ">15 : 1<", "neutral to fear")  # 46 neutral, 3 fear
    assert "Fear, 3 images" in text
    assert "63.0 %" in text and "Baseline (always neutral)" in text  # 46 of 73
    assert "Strongly imbalanced" in text and "the test split" in text
    assert_mentions(text, "without an expression", f"{IGNORED} images", f"{IGNORED} label ignored")


def test_a_split_has_its_own_numbers_and_links(small: StoredDataset) -> None:
    app = open_view(view, split="train")
    assert f">{sum(TRAIN.values())}<" in page_text(app)
    assert ">20 : 1<" in page_text(app)
    assert "split=train" in get_links(app)["Fear"]
    assert len(app.dataframe[0].value) == len(TRAIN)  # the table still has all splits
    assert {"train", "test", "all"} < set(app.dataframe[0].value.columns)


def test_every_class_has_a_link_to_its_faces(small: StoredDataset) -> None:
    link_queries = get_links(open_view(view))
    assert {"Neutral", "Happiness", "Fear", "Show those without"} == set(link_queries)
    assert set(link_queries["Fear"].split("&")) == {f"dataset={DATASET}", "section=faces", "label=fear"}
    assert "label=unlabeled" in link_queries["Show those without"]


def test_excluded_images_are_not_counted_but_mentioned(small: StoredDataset) -> None:
    index = small.index(["id", "label"])
    small.corrections().mark(Action.EXCLUDE, index["id"][index["label"] == "fear"].iloc[:2], "blurred")
    app = open_view(view)
    assert_mentions(page_text(app), "excluded by corrections", "2 images")
    assert ">46 : 1<" in page_text(app)
    assert "mark=used" in get_links(app)["Fear"] and "mark=excluded" in get_links(app)["Show the excluded"]


def test_differences_from_published_counts_are_described(small: StoredDataset) -> None:
    app = open_view(view)
    assert "1 of 6 counts" in page_text(app)
    table = app.dataframe[1].value
    differences = table[table["Difference"] != "same"]
    assert differences[["Expression", "Split", "Difference"]].to_numpy().tolist() == [["Fear", "Test", "3 fewer"]]


@pytest.mark.parametrize("query", [{"bars": "stacked", "scale": "log"}, {"scale": "share"}, {"split": "gone"}])
def test_any_query_shows_a_chart(small: StoredDataset, query: dict[str, str]) -> None:
    app = open_view(view, **query)
    assert not app.exception and not app.error
    assert len(charts(app)) == 1
    scales = app.button_group(key="scale").options
    assert len(scales) == (2 if query.get("bars") == "stacked" else 3)  # stacked bars have no logarithmic axis


def test_without_labels_there_is_an_empty_state(small: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    index = small.index(["id", "split", "label", "unlabeled", "problem"])
    index = index.assign(label=pd.array([None] * len(index), "string"), unlabeled="tie")
    monkeypatch.setattr(StoredDataset, "index", lambda self, *a: index)
    app = open_view(view)
    assert app.subheader[0].value
    assert f"{TOTAL} tied votes" in page_text(app)
    assert not charts(app)


def test_expressions_without_images_are_not_counted(small: StoredDataset) -> None:
    counts = labeled_counts(small.index())
    assert set(counts["expression"]) == set(TRAIN)
    assert counts["count"].sum() == sum(TRAIN.values()) + sum(TEST.values())


def test_reasons_are_listed_most_frequent_first() -> None:
    index = pd.DataFrame({"split": None, "unlabeled": ["tie", "unknown", "tie", ""], "label": [None] * 3 + ["fear"]})
    (text,) = describe_other_images(index)
    assert_mentions(text, "without an expression", "3 images", "2 tied votes and 1 unknown")
    assert describe_other_images(index[index["label"].notna()]) == []
