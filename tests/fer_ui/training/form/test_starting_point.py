"""The form starts from a preset or from a copy of a run."""

from __future__ import annotations

import pytest

from fer_core.runs.folder import create_run
from fer_core.settings import Settings
from fer_core.training.config.presets import PRESETS
from fer_core.training.config.train_config import TrainConfig, dump_config, load_config, parse_config, preset_paths
from tests.fer_ui.training.form.form_page import (
    Show,
    get_config,
    run_config,
    set_by_key,
    set_widget,
)
from tests.support.app_test import page_text

RUN_ID = "20260101-000000-odd-0001"
UNUSUAL = parse_config(
    {
        "dataset": "drawn",
        "labels": "four",
        "model": {"name": "regularized-cnn", "size_px": 64, "drop_block_01": 0.33},
        "split": {"kind": "kfold", "folds": 4, "fold": 2, "valid_01": 0.123},
        "optimizer": {"name": "adamw", "learning_rate": 1e-7, "momentum": 0.37, "schedule": "plateau", "l1": 1e-9},
        "augment": {"flip_prob": 0.123, "jpeg_quality_min": 7, "mix_until_01": 0.5, "gain_low": 0.4, "gain_high": 0.9},
        "rebalancing": {"sampling": "square_root", "beta": 0.5, "logit_tau": 0.77},
        "loss": {"gamma": 5},
        "exclude_ambiguous": True,
        "monitor": "f1_sadness",
        "early_stopping": {"metric": "f1_happiness", "min_delta": 0.125},
        "epochs": 3,
        "batch_size": 11,
        "seed": 2**60,
        "title": 'Anna\'s "best": 5 % more, naïve #1',
    }
)
"""Values that no preset has, some without effect."""


@pytest.mark.parametrize("name", PRESETS)
def test_an_unchanged_preset_is_the_presets_config(name: str, show: Show) -> None:
    app = show(preset=name)
    assert get_config(app) == load_config(preset_paths()[name], ["dataset=drawn"])
    assert app.selectbox(key="train-starting-point").value == name
    assert app.number_input(key="train-epochs").value == PRESETS[name].config.epochs
    assert app.selectbox(key="train-model.name").value == PRESETS[name].config.model.name
    assert PRESETS[name].summary in page_text(app)
    assert "Changed from" not in page_text(app)


def test_another_preset_resets_the_whole_form(show: Show) -> None:
    app = show(rebalancing="over-sampling", split_config="seeded", policy="strong", ambiguous="left-out")
    set_widget(app, "batch_size", 20)
    set_widget(app, "epochs", 3)
    set_by_key(app, "train-starting-point", "C-vgg16")
    assert get_config(app) == load_config(preset_paths()["C-vgg16"], ["dataset=drawn"])
    assert dict(app.query_params) == {"preset": "C-vgg16"}
    set_by_key(app, "train-starting-point", "small-soft")
    assert get_config(app) == load_config(preset_paths()["small-soft"], ["dataset=drawn"])


def test_a_copy_has_the_runs_config(store: Settings, show: Show) -> None:
    create_run(RUN_ID, dump_config(UNUSUAL), store)
    app = show(**{"from": RUN_ID})
    unnamed = UNUSUAL.model_copy(update={"title": ""})  # the name is the original's
    assert get_config(app) == unnamed
    assert f"With all settings of {UNUSUAL.title}" in page_text(app)
    assert f"jobs submit --config {run_config(RUN_ID)} --set" in app.code[0].value
    set_widget(app, "epochs", 9)
    assert get_config(app) == unnamed.model_copy(update={"epochs": 9})
    assert "Changed from the run: epochs" in page_text(app)
    app.button(key="train-back").click().run()
    assert get_config(app) == unnamed
    set_by_key(app, "train-starting-point", "A-cnn")
    assert get_config(app) == load_config(preset_paths()["A-cnn"], ["dataset=drawn"])
    assert "from" not in app.query_params


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("dataset: drawn\nlearning_rte: 1\n", "unknown key 'learning_rte'"),
        ("dataset: [\n", "not YAML"),
        ("- 1\n", "not a mapping"),
    ],
)
def test_an_invalid_run_config_is_explained(content: str, message: str, store: Settings, show: Show) -> None:
    create_run(RUN_ID, content, store)
    app = show(**{"from": RUN_ID})
    assert not app.exception
    assert message in page_text(app)
    assert "preset instead" in page_text(app)
    assert get_config(app) == load_config(preset_paths()["small-soft"], ["dataset=drawn"])


@pytest.mark.parametrize("run_id", ["gone", "../../etc", "a b"])
def test_a_missing_run_is_explained(run_id: str, show: Show) -> None:
    app = show(**{"from": run_id})
    assert not app.exception
    assert not app.error
    assert "There is no run" in app.warning[0].value and "python" not in app.warning[0].value


def test_a_missing_preset_is_explained(show: Show) -> None:
    app = show(preset="gone")
    assert "There is no preset 'gone'" in app.warning[0].value.replace("\\", "")
    assert get_config(app) == load_config(preset_paths()["small-soft"], ["dataset=drawn"])


def test_a_missing_dataset_is_explained_and_no_other_is_used(show: Show) -> None:
    app = show(dataset="gone")
    assert not app.exception
    assert "There is no dataset 'gone'" in app.warning[0].value.replace("\\", "")
    assert app.query_params["dataset"] in ("gone", ["gone"])
    assert "train-start" not in [button.key for button in app.button]


def test_a_copy_of_a_retrained_run_makes_the_split_that_the_form_shows(store: Settings, show: Show) -> None:
    create_run(RUN_ID, dump_config(UNUSUAL.model_copy(update={"split_from": "earlier"})), store)
    app = show(**{"from": RUN_ID})
    assert get_config(app).split_from == ""
    assert 'split_from=""' in app.code[0].value


def test_a_copy_of_a_run_on_a_missing_dataset_is_explained(store: Settings, show: Show) -> None:
    create_run(RUN_ID, dump_config(TrainConfig(dataset="gone", affect_weight=0.5)), store)
    app = show(**{"from": RUN_ID})
    assert get_config(app) == TrainConfig(dataset="drawn")
    assert "gone, is no longer in the store" in page_text(app)
    assert "valence and arousal" in page_text(app)
