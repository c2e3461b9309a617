"""The form that starts a training: what a link brings to it, and that its command says the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset, import_dataset
from fer_core.data.rebalance import NAMED_REMEDIES, Remedy
from fer_core.data.split import SplitConfig
from fer_core.data.synthetic import DrawnFacesRecipe, write_ferplus_like
from fer_core.settings import Settings
from fer_core.training.config import TrainConfig, load_config, parse_config, presets, read_yaml
from fer_core.training.recipes import recipes
from fer_ui.datasets.remedy_address import remedy_to_address
from fer_ui.split_address import split_to_address


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn") / "faces.zip"
    write_ferplus_like(path, DrawnFacesRecipe(total=64, identities=32))
    return path


@pytest.fixture(autouse=True)
def dataset(store: Settings, archive: Path) -> Iterator[StoredDataset]:
    st.cache_resource.clear()
    yield import_dataset(archive, store, dataset_id="drawn")
    st.cache_resource.clear()


def page() -> None:
    """What the page does with the form; its source is run, so it imports for itself."""
    from fer_core.data.catalog import list_datasets
    from fer_core.settings import settings
    from fer_ui.training_form import training_form

    training_form(list_datasets(settings()))


def show(**query: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def config_of(app: AppTest, folder: Path) -> TrainConfig:
    """What the form would start; its command must say the same."""
    assert not app.exception and not app.error
    command, written = (block.value for block in app.code[:2])
    words = shlex.split(command)
    assert words[:6] == ["python", "-m", "fer_core", "jobs", "submit", "--config"]
    changes = words[8::2]
    assert set(words[7::2]) == {"--set"}
    (folder / "written.yaml").write_text(written)
    config = parse_config(read_yaml(folder / "written.yaml"))
    assert load_config(presets()[words[6]], changes) == config
    return config


def test_without_a_link_the_preset_is_as_it_is(tmp_path: Path) -> None:
    usual = load_config(presets()["small-soft"], ["dataset=drawn", "epochs=20"])
    assert config_of(show(), tmp_path) == usual


@pytest.mark.parametrize(
    "remedy",
    [
        *(each.remedy for each in NAMED_REMEDIES.values()),
        Remedy(sampling="over", weights="inverse"),
        Remedy(weights="effective_number", beta=0.99999, logit_tau=1 / 3),
    ],
    ids=remedy_to_address,
)
def test_a_remedy_in_the_link_is_chosen(remedy: Remedy, tmp_path: Path) -> None:
    app = show(remedy=remedy_to_address(remedy))
    assert config_of(app, tmp_path).remedy == remedy
    if remedy != Remedy():
        assert "Against imbalance" in app.caption[0].value


def test_one_made_by_hand_stays_on_offer_after_another_choice(tmp_path: Path) -> None:
    app = show(remedy="over~inverse~0.999~0.0")
    assert "Over-sampling, class weights" in app.selectbox(key="remedy").options
    app.selectbox(key="remedy").set_value("under-sampling").run()
    assert config_of(app, tmp_path).remedy == Remedy(sampling="under")
    assert app.query_params["remedy"] == "under-sampling"
    app.selectbox(key="remedy").set_value("over~inverse~0.999~0").run()
    assert config_of(app, tmp_path).remedy == Remedy(sampling="over", weights="inverse")


@pytest.mark.parametrize("model", ["small-soft", "A-cnn"])
def test_every_recipe_in_the_link_is_used_whole(model: str, tmp_path: Path) -> None:
    for name, recipe in recipes().items():
        assert config_of(show(model=model, recipe=name), tmp_path).augment == recipe.augment
    app = show(model=model, recipe="strong")
    app.selectbox(key="recipe").set_value("own").run()
    assert config_of(app, tmp_path).augment == load_config(presets()[model]).augment


@pytest.mark.parametrize(
    ("split", "says"),
    [
        (SplitConfig(kind="seeded", valid_01=0.15, test_01=0.15, seed=3), "divided 70/15/15, seed 3"),
        (SplitConfig(kind="kfold", folds=4, fold=2, seed=1), "Fold 3 of 4, seed 1, is the test"),
        (SplitConfig(), "own training, validation and test parts are used"),
    ],
)
def test_a_split_in_the_link_is_used_and_said(split: SplitConfig, says: str, tmp_path: Path) -> None:
    app = show(split=split_to_address(split))
    assert config_of(app, tmp_path).split == split
    assert says in app.caption[0].value


def test_disputed_images_can_be_left_out(dataset: StoredDataset, tmp_path: Path) -> None:
    dataset.overlay().dispute(dataset.index(["id"])["id"][:7])
    app = show()
    assert app.selectbox(key="disputed").label == "Disputed images (7)"
    app.selectbox(key="disputed").set_value("left-out").run()
    assert config_of(app, tmp_path).leave_out_disputed
    assert "7 images marked as disputed" in app.caption[0].value
    assert config_of(show(disputed="left-out"), tmp_path).leave_out_disputed


def test_all_at_once_and_a_title_with_quotes(tmp_path: Path) -> None:
    app = show(remedy="class-weights", recipe="none", split="seeded", disputed="left-out")
    app.text_input(key="title-small-soft").set_value('Anna\'s "best": 5 % more, naïve #1').run()
    config = config_of(app, tmp_path)
    assert config.title == 'Anna\'s "best": 5 % more, naïve #1'
    assert (config.remedy.weights, config.split.kind, config.leave_out_disputed) == ("inverse", "seeded", True)
    assert config.augment.model_dump(exclude_defaults=True) == {}


def test_a_link_that_makes_no_sense_changes_nothing(tmp_path: Path) -> None:
    app = show(remedy="over~~~", recipe="gone", split="halves", disputed="maybe")
    assert config_of(app, tmp_path) == config_of(show(), tmp_path)
