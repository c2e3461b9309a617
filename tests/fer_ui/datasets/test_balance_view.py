"""The view of what a remedy does to an epoch, and the way to Training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.drawn import make_drawn_dataset
from fer_core.data.rebalance import NAMED_REMEDIES, Remedy
from fer_core.data.synthetic import DrawnFacesRecipe, write_ferplus_like
from fer_core.labels import Expression
from fer_core.settings import Settings
from fer_core.training.config import TrainConfig
from fer_ui.datasets import balance_view
from fer_ui.datasets.epoch_words import counted_words, epoch_words, too_few
from fer_ui.datasets.training_part import training_part
from fer_ui.pages import Page


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn") / "faces.zip"
    profile = dict.fromkeys(Expression, 1) | {Expression.NEUTRAL: 6}
    write_ferplus_like(path, DrawnFacesRecipe(total=240, identities=50, profile=profile))
    return path


@pytest.fixture
def dataset(store: Settings, archive: Path) -> Iterator[StoredDataset]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield import_dataset(archive, store, dataset_id="drawn")
    st.cache_data.clear()
    st.cache_resource.clear()


def page() -> None:
    """What a page does with the view; its source is run, so it imports for itself."""
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.balance_view import show_balance

    show_balance(open_dataset("drawn", settings()))


Show = Callable[..., AppTest]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    def said_link(page: Page, label: str, **query: str) -> None:
        st.markdown(f"{label}: {page} {query}")  # there are no pages to link to here

    monkeypatch.setattr(balance_view, "link_to", said_link)

    def show_it(**query: str) -> AppTest:
        app = AppTest.from_function(page, default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return show_it


def said(app: AppTest) -> str:
    shown = [*app.subheader, *app.markdown, *app.caption, *app.error, *app.warning, *app.get("html")]
    return " ".join(str(each.value) for each in shown).replace("\\", "").replace("&nbsp;", " ")


def remedy_of(app: AppTest) -> str:
    """What the link to Training carries."""
    return said(app).split("'remedy': '")[1].split("'")[0]


@pytest.mark.parametrize("name", NAMED_REMEDIES)
def test_a_remedy_is_chosen_by_the_address_and_handed_on(name: str, dataset: StoredDataset, show: Show) -> None:
    app = show(remedy=name)
    assert not app.exception and not app.error and not app.warning
    assert app.selectbox(key="remedy-kind").value == name
    assert remedy_of(app) == name
    config = TrainConfig(dataset="drawn", remedy=NAMED_REMEDIES[name].remedy)
    table = training_part(dataset, config).under(config.remedy)
    assert app.dataframe[0].value["Drawn"].tolist() == table["drawn"].tolist()
    assert len(app.get("plotly_chart")) == (3 if name == "logit-adjustment" else 2)


def test_another_remedy_goes_into_the_address(dataset: StoredDataset, show: Show) -> None:
    app = show()
    assert remedy_of(app) == "natural"
    app.selectbox(key="remedy-kind").set_value("over-sampling").run()
    assert app.query_params["remedy"] == "over-sampling"
    assert remedy_of(app) == "over-sampling"


def test_a_knob_makes_a_remedy_of_ones_own(dataset: StoredDataset, show: Show) -> None:
    app = show(remedy="effective-number-weights")
    app.select_slider(key="remedy-part-beta").set_value(0.99).run()
    assert app.query_params["remedy"] == "natural~effective_number~0.99~0"
    assert app.selectbox(key="remedy-kind").value == "effective-number-weights"
    app = show(remedy="logit-adjustment")
    app.slider(key="remedy-part-logit_tau").set_value(0.5).run()
    assert remedy_of(app) == "natural~none~0.999~0.5"
    assert "takes" in said(app)


def test_weights_that_begin_late_are_said_to(dataset: StoredDataset, show: Show) -> None:
    app = show(remedy="deferred-weights")
    weighted = show(remedy="effective-number-weights")
    assert "count only after 80 % of the epochs" in said(app)
    assert "count only after" not in said(weighted)
    assert app.dataframe[0].value.equals(weighted.dataframe[0].value)
    app.slider(key="remedy-part-weights_after_01").set_value(50).run()
    assert remedy_of(app) == "natural~effective_number~0.999~0~0.5"
    assert app.selectbox(key="remedy-kind").value == "deferred-weights"
    assert "count only after 50 % of the epochs" in said(app)


def test_a_delay_without_weights_is_forgotten(dataset: StoredDataset, show: Show) -> None:
    app = show(remedy="over~inverse~0.999~0~0.5")
    app.selectbox(key="remedy-part-weights").set_value("none").run()
    assert app.query_params["remedy"] == "over-sampling"


def test_parts_are_combined_by_hand_with_a_warning(dataset: StoredDataset, show: Show) -> None:
    app = show(remedy="over-sampling")
    app.selectbox(key="remedy-kind").set_value("combined").run()
    assert not app.warning
    app.selectbox(key="remedy-part-weights").set_value("inverse").run()
    assert remedy_of(app) == "over~inverse~0.999~0"
    assert "correct the same imbalance twice" in app.warning[0].value
    app.selectbox(key="remedy-part-sampling").set_value("natural").run()
    assert remedy_of(app) == "class-weights"
    assert app.selectbox(key="remedy-kind").value == "combined"
    assert not app.warning


def test_a_beta_that_means_nothing_is_forgotten(dataset: StoredDataset, show: Show) -> None:
    app = show(remedy="over~effective_number~0.99~0")
    app.selectbox(key="remedy-part-weights").set_value("none").run()
    assert app.query_params["remedy"] == "over-sampling"


@pytest.mark.parametrize("address", ["gone", "over~~", "under~inverse~2~0"])
def test_an_address_that_makes_no_sense_is_no_remedy(address: str, dataset: StoredDataset, show: Show) -> None:
    app = show(remedy=address)
    assert not app.exception and not app.error
    assert remedy_of(app) == "natural"


def test_a_split_a_model_and_disputed_images_are_counted_and_handed_on(dataset: StoredDataset, show: Show) -> None:
    dataset.overlay().dispute(dataset.index(["id"])["id"][:30])
    app = show(split="kfold~0.1~0.1~4~1~0", preset="A-cnn", disputed="left-out")
    assert "fold 2 of 4" in said(app)
    for handed in ("'split': 'kfold~0.1~0.1~4~1~0'", "'preset': 'A-cnn'", "'disputed': 'left-out'"):
        assert handed in said(app)
    assert "disputed" in app.caption[-1].value
    seen = app.dataframe[0].value["Images"].sum()
    assert show(split="kfold~0.1~0.1~4~1~0", preset="A-cnn").dataframe[0].value["Images"].sum() > seen


def test_without_votes_or_disputed_images_nothing_is_asked(store: Settings, show: Show) -> None:
    st.cache_data.clear()
    st.cache_resource.clear()
    make_drawn_dataset("drawn", 160, 0, store)
    app = show()
    assert not app.error and not app.exception
    assert [each.label for each in app.selectbox] == ["Remedy"]


def test_nothing_to_train_on_is_said(dataset: StoredDataset, show: Show) -> None:
    ids = dataset.index(["id"])["id"]
    dataset.overlay().dispute(ids)
    assert "There is no labelled image to train on" in said(show(disputed="left-out"))
    dataset.overlay().exclude(ids, "blurred")
    app = show()
    assert "excluded" in app.error[0].value
    assert not app.exception


def test_the_sentences_give_what_is_drawn_and_what_waits(dataset: StoredDataset) -> None:
    config = TrainConfig(dataset="drawn", targets="label")
    part = training_part(dataset, config)

    def words(remedy: Remedy) -> str:
        return epoch_words(part, part.under(remedy), remedy)

    rarest, all_ = int(part.sizes.min()), part.images
    assert words(Remedy()) == f"An epoch would show each of {all_} images once."
    under = words(Remedy(sampling="under"))
    assert f"{8 * rarest} images instead of {all_}" in under
    assert f"{all_ - 8 * rarest} images of other expressions wait for another" in under
    assert "as many as there are" in words(Remedy(sampling="over"))
    ratio = part.sizes.max() / rarest
    assert f"counts as much as {ratio:.1f} neutral ones" in words(Remedy(weights="inverse"))
    assert "more off the output of" in words(Remedy(logit_tau=1))
    assert f"{all_} images of 240" in counted_words(part, config, 240)


def test_an_epoch_that_training_would_refuse_is_told(dataset: StoredDataset, show: Show) -> None:
    config = TrainConfig(dataset="drawn", targets="label", remedy=Remedy(sampling="under"))
    part = training_part(dataset, config)
    table = part.under(config.remedy)
    drawn = int(table["drawn"].sum())
    assert too_few(part, table, config.model_copy(update={"batch_size": drawn})) == []
    assert str(drawn) in too_few(part, table, config.model_copy(update={"batch_size": drawn + 1}))[0]
    index = dataset.index(["id", "label", "split"])
    learnt_from = index["label"].eq("contempt") & index["split"].eq("train")
    dataset.overlay().exclude(index.loc[learnt_from.fillna(False), "id"][1:], "blurred")
    assert "fewer than one batch of 64" in show(remedy="under-sampling", preset="A-cnn").warning[0].value
    assert not show(remedy="over-sampling", preset="A-cnn").warning


def test_images_without_a_label_are_spoken_of_where_votes_teach(dataset: StoredDataset) -> None:
    part = training_part(dataset, TrainConfig(dataset="drawn"))
    assert part.unlabelled > 1
    remedy = Remedy(sampling="under", weights="inverse")
    words = epoch_words(part, part.under(remedy), remedy)
    assert f"{part.unlabelled} of the images shown have no label and are drawn once as ever" in words
    assert "one vote for" in words
