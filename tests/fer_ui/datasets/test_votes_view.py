"""The view of a dataset's votes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.agreement import AnnotatorAgreement
from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.synthetic.dataset import SyntheticFacesConfig, make_synthetic_dataset
from fer_core.labels import Expression
from fer_core.settings import Settings
from fer_ui.datasets import votes_view
from fer_ui.datasets.bar_faces import read_clicked_bar
from fer_ui.datasets.vote_summary import vote_summary
from fer_ui.datasets.votes_view import describe_agreement_ceiling, select_voted
from fer_ui.query_params import QueryParam
from tests.support.app_test import charts, page_text
from tests.support.gallery import shown_ids
from tests.support.synthetic_datasets import write_ferplus_like
from tests.support.texts import assert_mentions


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn") / "faces.zip"
    write_ferplus_like(path, SyntheticFacesConfig(total=160, identities=40, profile=dict.fromkeys(Expression, 1)))
    return path


@pytest.fixture
def dataset(store: Settings, archive: Path) -> Iterator[StoredDataset]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield import_dataset(archive, store, dataset_id="drawn")
    st.cache_data.clear()
    st.cache_resource.clear()


def page() -> None:
    """Show the view. AppTest runs only the source, hence the imports."""
    import streamlit as st

    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.votes_view import show_votes

    show_votes(open_dataset("drawn", settings()), st.container())


def show(**query: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def test_metrics_and_intervals_are_shown(dataset: StoredDataset) -> None:
    app = show()
    assert not app.exception and not app.error
    for text in ("Median agreement", "Clear majority", "One annotator vs. the rest", "New panel, same label"):
        assert text in page_text(app)
    assert page_text(app).count("95 %") >= 4
    assert "are suspect" in page_text(app)
    assert len(charts(app)) == 2


def test_the_most_ambiguous_are_shown_with_the_votes_as_a_table(dataset: StoredDataset) -> None:
    app = show()
    table = app.dataframe[0].value
    faces = shown_ids(app)
    assert 0 < len(faces) <= 72
    assert len(table) >= len(faces)
    assert table["Votes"].str.contains("neutral|happiness|sadness|surprise|fear|disgust|anger|contempt").all()
    assert table["Label"].isin([*Expression]).all()
    assert f"Votes for the first one: {table['Votes'].iloc[0]}." in page_text(app)
    all_images = show(kind="any").dataframe[0].value
    assert len(all_images) >= len(table)


def test_the_faces_of_a_bar_are_those_that_it_counts(dataset: StoredDataset) -> None:
    summary = vote_summary(dataset, "")
    assert summary is not None
    bar = summary.histogram[summary.histogram["count"] > 0].iloc[-1]
    app = show(label=bar["expression"], votes=str(bar["votes"]))
    assert not app.exception and not app.error
    rows = select_voted(summary, bar["expression"], str(bar["votes"]))
    assert len(rows) == bar["count"]
    assert set(shown_ids(app)) <= set(dataset.index(["id"])["id"].iloc[rows])
    assert len(select_voted(summary, "any", "any")) == summary.histogram["count"].sum()


def test_a_clicked_bar_becomes_query_parameters() -> None:
    params = (QueryParam.LABEL, QueryParam.VOTES)
    assert read_clicked_bar(["fear", 7], params) == {"label": "fear", "votes": "7"}
    assert read_clicked_bar(["fear", ""], params) == {"label": "fear"}, "a bar of all splits"
    assert read_clicked_bar(["fear"], params) == read_clicked_bar([], params) == {}


def test_the_split_is_in_the_query(dataset: StoredDataset) -> None:
    all_images, train = show(), show(split="train")
    assert "160 images" in page_text(all_images)
    assert "160 images" not in page_text(train)
    splits = dataset.index(["id", "split"]).set_index("id")["split"]
    assert set(splits.loc[train.dataframe[0].value["Image"]]) == {"train"}


def test_an_excluded_image_is_not_counted(dataset: StoredDataset) -> None:
    dataset.corrections().mark(Action.EXCLUDE, dataset.index(["id"])["id"][:10], "blurred")
    assert "150 images" in page_text(show())
    dataset.corrections().mark(Action.EXCLUDE, dataset.index(["id"])["id"], "blurred")
    assert "No images with votes" in page_text(show())


@pytest.mark.parametrize("label", ["ambiguous", "any"])
def test_the_numbers_follow_a_correction_in_the_gallery(
    dataset: StoredDataset, monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    """A gallery reruns the page when the corrections are newer than what it was drawn with."""
    drawn_versions = []
    monkeypatch.setattr(votes_view, "show_faces", lambda *_, drawn_version, **__: drawn_versions.append(drawn_version))
    show(label=label)
    dataset.corrections().mark(Action.EXCLUDE, dataset.index(["id"])["id"][:10], "blurred")
    assert "150 images" in page_text(show(label=label))
    assert drawn_versions == [0, dataset.corrections().version]


def test_a_dataset_without_votes_shows_a_message(store: Settings) -> None:
    st.cache_data.clear()
    make_synthetic_dataset("drawn", 64, 0, store)
    app = show()
    assert not app.error and not app.exception
    assert "This dataset has no votes" in page_text(app)


def test_a_failure_shows_the_error(dataset: StoredDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(votes_view, "vote_summary", fail)
    assert show().error


def test_the_ceiling_names_the_highest_credible_accuracy() -> None:
    text = describe_agreement_ceiling(AnnotatorAgreement(3371, 0.771, (0.76, 0.78), 0.94, (0.93, 0.95), 0.05))
    assert_mentions(text, "94.0 % of 3,371 images", "above 95.0 %", "suspect", "77.1 %")
