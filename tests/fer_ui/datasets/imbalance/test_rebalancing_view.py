"""The section Rebalancing: the effect of a strategy on an epoch, and the link to Training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing
from fer_core.data.synthetic.dataset import SyntheticFacesConfig, make_synthetic_dataset
from fer_core.labels import Expression
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig
from fer_ui.datasets.imbalance import rebalancing_view
from fer_ui.datasets.imbalance.epoch_summary import describe_counted_images, describe_epoch, warn_small_epoch
from fer_ui.datasets.imbalance.training_split import load_training_split
from fer_ui.navigation import Page
from tests.support.app_test import charts, page_text
from tests.support.synthetic_datasets import write_ferplus_like
from tests.support.texts import assert_mentions


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
    """Show the view. AppTest runs only the source, hence the imports."""
    from fer_core.data.catalog import open_dataset
    from fer_core.settings import settings
    from fer_ui.datasets.imbalance.rebalancing_view import show_rebalancing

    show_rebalancing(open_dataset("faces", settings()))


Show = Callable[..., AppTest]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    def fake_link(page: Page, label: str, **query: str) -> None:
        st.markdown(f"{label}: {page} {query}")  # there are no pages to link to here

    monkeypatch.setattr(rebalancing_view, "link_to", fake_link)

    def run_page(**query: str) -> AppTest:
        app = AppTest.from_function(page, default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return run_page


def linked_rebalancing(app: AppTest) -> str:
    """Get the strategy that the link to Training carries."""
    return page_text(app).split("'rebalancing': '")[1].split("'")[0]


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_of_the_query_is_shown_and_linked_to_training(name: str, dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing=name)
    assert not app.exception and not app.error and not app.warning
    assert app.selectbox(key="rebalancing-kind").value == name
    assert linked_rebalancing(app) == name
    config = TrainConfig(dataset="faces", rebalancing=STRATEGIES[name].rebalancing)
    table = load_training_split(dataset, config).epoch_table(config.rebalancing)
    assert app.dataframe[0].value["samples"].tolist() == table["samples"].tolist()
    assert len(charts(app)) == (3 if name == "logit-adjustment" else 2)


def test_another_strategy_is_written_to_the_query(dataset: StoredDataset, show: Show) -> None:
    app = show()
    assert linked_rebalancing(app) == "natural"
    app.selectbox(key="rebalancing-kind").set_value("over-sampling").run()
    assert app.query_params["rebalancing"] == "over-sampling"
    assert linked_rebalancing(app) == "over-sampling"


def test_an_option_makes_a_custom_strategy(dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing="effective-number-weights")
    app.select_slider(key="rebalancing-beta").set_value(0.99).run()
    assert app.query_params["rebalancing"] == "natural~effective_number~0.99~0"
    assert app.selectbox(key="rebalancing-kind").value == "effective-number-weights"
    app = show(rebalancing="logit-adjustment")
    app.slider(key="rebalancing-logit_tau").set_value(0.5).run()
    assert linked_rebalancing(app) == "natural~none~0.999~0.5"
    assert "lowers the logit" in page_text(app)


def test_deferred_weights_are_described(dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing="deferred-weights")
    weighted = show(rebalancing="effective-number-weights")
    assert "only after 80 % of the epochs" in page_text(app)
    assert "only after" not in page_text(weighted)
    assert app.dataframe[0].value.equals(weighted.dataframe[0].value)
    app.slider(key="rebalancing-reweight_start_01").set_value(50).run()
    assert linked_rebalancing(app) == "natural~effective_number~0.999~0~0.5"
    assert app.selectbox(key="rebalancing-kind").value == "deferred-weights"
    assert "only after 50 % of the epochs" in page_text(app)


def test_a_delay_without_weights_is_dropped(dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing="over~inverse~0.999~0~0.5")
    app.selectbox(key="rebalancing-weights").set_value("none").run()
    assert app.query_params["rebalancing"] == "over-sampling"


def test_combined_options_get_a_warning(dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing="over-sampling")
    app.selectbox(key="rebalancing-kind").set_value("combined").run()
    assert not app.warning
    app.selectbox(key="rebalancing-weights").set_value("inverse").run()
    assert linked_rebalancing(app) == "over~inverse~0.999~0"
    assert "correct the same imbalance twice" in app.warning[0].value
    app.selectbox(key="rebalancing-sampling").set_value("natural").run()
    assert linked_rebalancing(app) == "class-weights"
    assert app.selectbox(key="rebalancing-kind").value == "combined"
    assert not app.warning


def test_an_unused_beta_is_dropped(dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing="over~effective_number~0.99~0")
    app.selectbox(key="rebalancing-weights").set_value("none").run()
    assert app.query_params["rebalancing"] == "over-sampling"


@pytest.mark.parametrize("query", ["gone", "over~~", "under~inverse~2~0"])
def test_an_invalid_query_is_natural_sampling(query: str, dataset: StoredDataset, show: Show) -> None:
    app = show(rebalancing=query)
    assert not app.exception and not app.error
    assert linked_rebalancing(app) == "natural"


def test_split_preset_and_ambiguous_images_are_counted_and_linked(dataset: StoredDataset, show: Show) -> None:
    dataset.corrections().mark(Action.AMBIGUOUS, dataset.index(["id"])["id"][:30])
    app = show(split_config="kfold~0.1~0.1~4~1~0", preset="A-cnn", ambiguous="left-out")
    assert "fold 2 of 4" in page_text(app)
    for parameter in ("'split_config': 'kfold~0.1~0.1~4~1~0'", "'preset': 'A-cnn'", "'ambiguous': 'left-out'"):
        assert parameter in page_text(app)
    assert "ambiguous" in app.caption[-1].value
    image_count = app.dataframe[0].value["images"].sum()
    assert show(split_config="kfold~0.1~0.1~4~1~0", preset="A-cnn").dataframe[0].value["images"].sum() > image_count


def test_without_votes_or_ambiguous_images_there_are_no_choices(store: Settings, show: Show) -> None:
    st.cache_data.clear()
    st.cache_resource.clear()
    make_synthetic_dataset("faces", 160, 0, store)
    app = show()
    assert not app.error and not app.exception
    assert [selectbox.label for selectbox in app.selectbox] == ["Rebalancing"]


def test_no_training_images_is_an_empty_state(dataset: StoredDataset, show: Show) -> None:
    ids = dataset.index(["id"])["id"]
    dataset.corrections().mark(Action.AMBIGUOUS, ids)
    assert "There is no labeled image to train on" in page_text(show(ambiguous="left-out"))
    dataset.corrections().mark(Action.EXCLUDE, ids, "blurred")
    app = show()
    assert "excluded" in app.error[0].value
    assert not app.exception


def test_the_sentences_describe_samples_and_skipped_images(dataset: StoredDataset) -> None:
    config = TrainConfig(dataset="faces", targets="label")
    split = load_training_split(dataset, config)

    def text(rebalancing: Rebalancing) -> str:
        return describe_epoch(split, split.epoch_table(rebalancing), rebalancing)

    rarest, image_count = int(split.sizes.min()), split.images
    assert_mentions(text(Rebalancing()), f"{image_count} images", "once")
    sentence = text(Rebalancing(sampling="under"))
    assert_mentions(sentence, f"{8 * rarest} samples", f"{image_count}", "skips", f"{image_count - 8 * rarest} images")
    assert_mentions(text(Rebalancing(sampling="over")), "as many as there are")
    assert_mentions(text(Rebalancing(weights="inverse")), "weighs", f"{split.sizes.max() / rarest:.1f}", "neutral")
    assert_mentions(text(Rebalancing(logit_tau=1)), "lowers the logit")
    assert_mentions(describe_counted_images(split, config, 240), f"{image_count} images of 240")


def test_an_epoch_smaller_than_a_batch_warns(dataset: StoredDataset, show: Show) -> None:
    config = TrainConfig(dataset="faces", targets="label", rebalancing=Rebalancing(sampling="under"))
    split = load_training_split(dataset, config)
    table = split.epoch_table(config.rebalancing)
    samples = int(table["samples"].sum())
    assert warn_small_epoch(split, table, config.model_copy(update={"batch_size": samples})) == []
    assert str(samples) in warn_small_epoch(split, table, config.model_copy(update={"batch_size": samples + 1}))[0]
    index = dataset.index(["id", "label", "split"])
    contempt = index["label"].eq("contempt") & index["split"].eq("train")
    dataset.corrections().mark(Action.EXCLUDE, index.loc[contempt.fillna(False), "id"][1:], "blurred")
    assert "fewer than one batch of 64" in show(rebalancing="under-sampling", preset="A-cnn").warning[0].value
    assert not show(rebalancing="over-sampling", preset="A-cnn").warning


def test_images_without_a_label_are_described_where_votes_are_targets(dataset: StoredDataset) -> None:
    split = load_training_split(dataset, TrainConfig(dataset="faces"))
    assert split.unlabeled > 1
    rebalancing = Rebalancing(sampling="under", weights="inverse")
    text = describe_epoch(split, split.epoch_table(rebalancing), rebalancing)
    assert_mentions(text, f"{split.unlabeled} images without a label", "once each", "one vote for")
