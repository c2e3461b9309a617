"""Datasets: sections share query parameters, and each keeps its own filters."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from fer_core.settings import Settings
from fer_ui.navigation import Page
from tests.pages.conftest import OpenPage
from tests.support.sample_store import DATASET

FILTERS = ("label", "split", "votes", "finding", "scale", "mark")


def filters(app: AppTest) -> dict[str, str]:
    assert not app.exception
    given = {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}
    return {name: value for name, value in given.items() if name in FILTERS}


def tab(app: AppTest, section: str) -> AppTest:
    return app.segmented_control(key="section").set_value(section).run()


def test_each_section_restores_its_own_filters(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS, dataset=DATASET, section="faces", label="anger", split="train")
    tab(app, "votes")
    assert filters(app) == {}
    app.selectbox(key="label").set_value("happiness").run()
    app.selectbox(key="votes").set_value("10").run()
    tab(app, "faces")
    assert filters(app) == {"label": "anger", "split": "train"}
    assert app.selectbox(key="label").value == "anger"
    tab(app, "classes")
    assert filters(app) == {}
    tab(app, "votes")
    assert filters(app) == {"label": "happiness", "votes": "10"}
    assert (app.selectbox(key="label").value, app.selectbox(key="votes").value) == ("happiness", "10")


def test_a_finding_of_quality_is_no_filter_of_faces(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS, dataset=DATASET, section="quality")
    app.query_params["finding"] = kind = str(app.radio(key="finding").value)
    tab(app.run(), "faces")
    assert filters(app) == {}
    assert filters(tab(app, "quality")) == {"finding": kind}


def test_links_keep_their_filters(filled_store: Settings, open_page: OpenPage) -> None:
    app = open_page(Page.DATASETS, dataset=DATASET, section="votes", label="fear", votes="10")
    assert filters(app) == {"label": "fear", "votes": "10"}
    app.query_params.clear()  # a link within the page, or Back
    app.query_params.update({"dataset": DATASET, "section": "faces", "label": "sadness"})
    assert filters(app.run()) == {"label": "sadness"}
    assert app.selectbox(key="label").value == "sadness"
