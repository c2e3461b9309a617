"""The view of what a remedy does to an epoch, and the way to Training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing
from fer_core.data.synthetic.dataset import make_synthetic_dataset
from fer_core.data.synthetic.generator import SyntheticFacesConfig, write_ferplus_like
from fer_core.labels import Expression
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig
from fer_ui.datasets.imbalance import rebalancing_view
from fer_ui.datasets.imbalance.epoch_summary import describe_counted_images, describe_epoch, warn_small_epoch
from fer_ui.datasets.imbalance.training_split import load_training_split
from fer_ui.navigation import Page


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faces") / "faces.zip"
    profile = dict.fromkeys(Expression, 1) | {Expression.NEUTRAL: 6}
    write_ferplus_like(path, SyntheticFacesConfig(total=240, identities=50, profile=profile))
    return path


@pytest.fixture
def dataset(store: Settings, archive: Path) -> Iterator[StoredDataset]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield import_dataset(archive, store, dataset_id="faces")
    st.cache_data.clear()
    st.cache_resource.clear()


def page() -> None:
    """What a page does with the view; its source is run, so it imports for itself."""
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.imbalance.rebalancing_view import show_rebalancing

    show_rebalancing(open_dataset("faces", settings()))


Show = Callable[..., AppTest]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    def said_link(page: Page, label: str, **query: str) -> None:
        st.markdown(f"{label}: {page} {query}")  # there are no pages to link to here

    monkeypatch.setattr(rebalancing_view, "link_to", said_link)

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
    return said(app).split("'rebalancing': '")[1].split("'")[0]


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_remedy_is_chosen_by_the_address_and_handed_on(name: str, dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing=name)
    assert not app.exception and not app.error and not app.warning
    assert app.selectbox(key="remedy-kind").value == name
    assert remedy_of(app) == name
    config = TrainConfig(dataset="faces", rebalancing=STRATEGIES[name].rebalancing)
    table = load_training_split(dataset, config).under(config.rebalancing)
    assert app.dataframe[0].value["Drawn"].tolist() == table["samples"].tolist()
    assert len(app.get("plotly_chart")) == (3 if name == "logit-adjustment" else 2)


def test_another_remedy_goes_into_the_address(dataset: StoredDataset, show: Show) -> None:
    app = show()
    assert remedy_of(app) == "natural"
    app.selectbox(key="remedy-kind").set_value("over-sampling").run()
    assert app.query_params["rebalancing"] == "over-sampling"
    assert remedy_of(app) == "over-sampling"


def test_a_knob_makes_a_remedy_of_ones_own(dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing="effective-number-weights")
    app.select_slider(key="remedy-part-beta").set_value(0.99).run()
    assert app.query_params["rebalancing"] == "natural~effective_number~0.99~0"
    assert app.selectbox(key="remedy-kind").value == "effective-number-weights"
    app = show(rebalancing="logit-adjustment")
    app.slider(key="remedy-part-logit_tau").set_value(0.5).run()
    assert remedy_of(app) == "natural~none~0.999~0.5"
    assert "takes" in said(app)


def test_weights_that_begin_late_are_said_to(dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing="deferred-weights")
    weighted = show(rebalancing="effective-number-weights")
    assert "count only after 80 % of the epochs" in said(app)
    assert "count only after" not in said(weighted)
    assert app.dataframe[0].value.equals(weighted.dataframe[0].value)
    app.slider(key="remedy-part-reweight_start_01").set_value(50).run()
    assert remedy_of(app) == "natural~effective_number~0.999~0~0.5"
    assert app.selectbox(key="remedy-kind").value == "deferred-weights"
    assert "count only after 50 % of the epochs" in said(app)


def test_a_delay_without_weights_is_forgotten(dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing="over~inverse~0.999~0~0.5")
    app.selectbox(key="remedy-part-weights").set_value("none").run()
    assert app.query_params["rebalancing"] == "over-sampling"


def test_parts_are_combined_by_hand_with_a_warning(dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing="over-sampling")
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
    app = show(rebalancing="over~effective_number~0.99~0")
    app.selectbox(key="remedy-part-weights").set_value("none").run()
    assert app.query_params["rebalancing"] == "over-sampling"


@pytest.mark.parametrize("address", ["gone", "over~~", "under~inverse~2~0"])
def test_an_address_that_makes_no_sense_is_no_remedy(address: str, dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing=address)
    assert not app.exception and not app.error
    assert remedy_of(app) == "natural"


def test_a_split_a_model_and_ambiguous_images_are_counted_and_handed_on(dataset: StoredDataset, show: Show) -> None:
    dataset.corrections().mark_ambiguous(dataset.index(["id"])["id"][:30])
    app = show(split_config="kfold~0.1~0.1~4~1~0", preset="A-cnn", ambiguous="left-out")
    assert "fold 2 of 4" in said(app)
    for handed in ("'split_config': 'kfold~0.1~0.1~4~1~0'", "'preset': 'A-cnn'", "'ambiguous': 'left-out'"):
        assert handed in said(app)
    assert "ambiguous" in app.caption[-1].value
    seen = app.dataframe[0].value["Images"].sum()
    assert show(split_config="kfold~0.1~0.1~4~1~0", preset="A-cnn").dataframe[0].value["Images"].sum() > seen


def test_without_votes_or_ambiguous_images_nothing_is_asked(store: Settings, show: Show) -> None:
    st.cache_data.clear()
    st.cache_resource.clear()
    make_synthetic_dataset("faces", 160, 0, store)
    app = show()
    assert not app.error and not app.exception
    assert [each.label for each in app.selectbox] == ["Rebalancing"]


def test_nothing_to_train_on_is_said(dataset: StoredDataset, show: Show) -> None:
    ids = dataset.index(["id"])["id"]
    dataset.corrections().mark_ambiguous(ids)
    assert "There is no labeled image to train on" in said(show(ambiguous="left-out"))
    dataset.corrections().exclude(ids, "blurred")
    app = show()
    assert "excluded" in app.error[0].value
    assert not app.exception


def test_the_sentences_give_what_is_drawn_and_what_waits(dataset: StoredDataset) -> None:
    config = TrainConfig(dataset="faces", targets="label")
    part = load_training_split(dataset, config)

    def words(rebalancing: Rebalancing) -> str:
        return describe_epoch(part, part.under(rebalancing), rebalancing)

    rarest, all_ = int(part.sizes.min()), part.images
    assert words(Rebalancing()) == f"An epoch would show each of {all_} images once."
    under = words(Rebalancing(sampling="under"))
    assert f"{8 * rarest} images instead of {all_}" in under
    assert f"{all_ - 8 * rarest} images of other expressions wait for another" in under
    assert "as many as there are" in words(Rebalancing(sampling="over"))
    ratio = part.sizes.max() / rarest
    assert f"counts as much as {ratio:.1f} neutral ones" in words(Rebalancing(weights="inverse"))
    assert "more off the output of" in words(Rebalancing(logit_tau=1))
    assert f"{all_} images of 240" in describe_counted_images(part, config, 240)


def test_an_epoch_that_training_would_refuse_is_told(dataset: StoredDataset, show: Show) -> None:
    config = TrainConfig(dataset="faces", targets="label", rebalancing=Rebalancing(sampling="under"))
    part = load_training_split(dataset, config)
    table = part.under(config.rebalancing)
    drawn = int(table["samples"].sum())
    assert warn_small_epoch(part, table, config.model_copy(update={"batch_size": drawn})) == []
    assert str(drawn) in warn_small_epoch(part, table, config.model_copy(update={"batch_size": drawn + 1}))[0]
    index = dataset.index(["id", "label", "split"])
    learned_from = index["label"].eq("contempt") & index["split"].eq("train")
    dataset.corrections().exclude(index.loc[learned_from.fillna(False), "id"][1:], "blurred")
    assert "fewer than one batch of 64" in show(rebalancing="under-sampling", preset="A-cnn").warning[0].value
    assert not show(rebalancing="over-sampling", preset="A-cnn").warning


def test_images_without_a_label_are_spoken_of_where_votes_teach(dataset: StoredDataset) -> None:
    part = load_training_split(dataset, TrainConfig(dataset="faces"))
    assert part.unlabeled > 1
    rebalancing = Rebalancing(sampling="under", weights="inverse")
    words = describe_epoch(part, part.under(rebalancing), rebalancing)
    assert f"{part.unlabeled} of the images shown have no label and are drawn once as ever" in words
    assert "one vote for" in words
