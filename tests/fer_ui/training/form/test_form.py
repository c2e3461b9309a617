"""The form as a whole: presets, links, warnings and the request."""

from __future__ import annotations

import json

import pytest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing
from fer_core.data.splits.split import SplitConfig
from fer_core.runs.title import config_title
from fer_core.settings import settings
from fer_core.system.processor import Processor
from fer_core.training.config.augmentation_policies import policies
from fer_core.training.config.presets import PRESETS
from fer_core.training.config.train_config import TrainConfig, load_config, preset_paths
from fer_ui.datasets.imbalance.rebalancing_picker import rebalancing_to_query
from fer_ui.datasets.split_choice import split_to_query
from tests.fer_ui.training.form.form_page import (
    REQUEST_KEY,
    Show,
    get_config,
    get_configs,
    set_by_key,
    set_widget,
    submit_form,
)
from tests.support.app_test import page_text


@pytest.mark.parametrize(
    "rebalancing",
    [
        *(item.rebalancing for item in STRATEGIES.values()),
        Rebalancing(sampling="over", weights="inverse"),
        Rebalancing(weights="effective_number", beta=0.99999, logit_tau=1 / 3, reweight_start_01=0.5),
    ],
    ids=rebalancing_to_query,
)
def test_rebalancing_of_the_link_overrides_the_preset(rebalancing: Rebalancing, show: Show) -> None:
    app = show(rebalancing=rebalancing_to_query(rebalancing), preset="balanced")
    assert get_config(app).rebalancing == rebalancing
    assert ("Rebalancing:" in page_text(app)) is (rebalancing != Rebalancing())


def test_without_a_link_the_preset_keeps_its_rebalancing(show: Show) -> None:
    app = show(preset="balanced")
    assert get_config(app).rebalancing == Rebalancing(logit_tau=0.5)
    set_by_key(app, "rebalancing-logit_tau", 0.8)
    assert get_config(app).rebalancing == Rebalancing(logit_tau=0.8)
    set_by_key(app, "rebalancing-kind", "natural")
    assert get_config(app).rebalancing == Rebalancing()
    app.button(key="train-back").click().run()
    assert get_config(app).rebalancing == Rebalancing(logit_tau=0.5)


@pytest.mark.parametrize("preset", ["small-soft", "B-baseline"])
def test_a_policy_of_the_link_is_used(preset: str, show: Show) -> None:
    for name, policy in policies().items():
        assert get_config(show(preset=preset, policy=name)).augment == policy.augment
    app = show(preset=preset, policy="strong")
    set_by_key(app, "policy", "custom")
    assert get_config(app).augment == PRESETS[preset].config.augment


def test_changing_a_value_makes_a_custom_policy(show: Show) -> None:
    app = show(policy="study-b")
    app.toggle(key="train-augment-values").set_value(True).run()
    set_widget(app, "augment.flip_prob", 25)
    assert get_config(app).augment == policies()["study-b"].augment.model_copy(update={"flip_prob": 0.25})
    assert "policy" not in app.query_params


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (SplitConfig(kind="seeded", valid_01=0.15, test_01=0.15, seed=3), "70/15/15, seed 3"),
        (SplitConfig(kind="kfold", folds=4, fold=2, seed=1), "Fold 3 of 4, seed 1, is the test split"),
        (SplitConfig(), "published training, validation and test splits"),
    ],
)
def test_a_split_of_the_link_is_used_and_described(split: SplitConfig, message: str, show: Show) -> None:
    app = show(split_config=split_to_query(split))
    assert get_config(app).split == split
    assert message in page_text(app)


def test_one_or_all_folds_can_be_started(show: Show) -> None:
    app = show(split_config="kfold~0.1~0.1~4~1~7")
    request = submit_form(app)
    assert [config.split.fold for config in request.configs] == [1]
    set_by_key(app, "train-all-folds", True)
    assert app.button(key="train-start").label == "Start 4 runs"
    assert "Each of 4 folds, seed 7" in page_text(app)
    configs = get_configs(app)
    request = submit_form(app)
    assert request.configs == configs
    assert [config.split.fold for config in configs] == [0, 1, 2, 3]
    titles = [config_title(config.model_dump(mode="json"), settings()) for config in configs]
    assert len(set(titles)) == 4 and "fold 2 of 4" in titles[1]
    other_values = {
        config.model_copy(update={"title": "", "split": SplitConfig()}).model_dump_json() for config in configs
    }
    assert len(other_values) == 1
    set_by_key(app, "split-kind", "seeded")
    assert len(submit_form(app).configs) == 1


def test_fewer_folds_clip_the_test_fold(show: Show) -> None:
    app = show(split_config="kfold~0.1~0.1~8~7~0")
    set_by_key(app, "split-folds", 3)
    assert get_config(app).split == SplitConfig(kind="kfold", folds=3, fold=2)


def test_fractions_leave_training_images(show: Show) -> None:
    app = show(split_config="seeded~0.1~0.85~5~0~0")
    set_by_key(app, "split-valid_01", 40)
    assert get_config(app).split.test_01 == pytest.approx(0.59)


def test_the_request_matches_the_form(show: Show) -> None:
    app = show(preset="A-cnn", rebalancing="square-root-sampling")
    set_by_key(app, "train-priority-field", 5)
    expected = get_config(app)
    request = submit_form(app)
    assert (request.configs, request.priority, request.device) == ([expected], 5, "")
    assert "--priority 5" in app.code[0].value
    assert app.session_state["test-request"] is not None
    app.run()
    assert app.session_state["test-request"] is None


def test_ambiguous_images_can_be_left_out(dataset: StoredDataset, show: Show) -> None:
    dataset.corrections().mark(Action.AMBIGUOUS, dataset.index(["id"])["id"][:7])
    app = show()
    assert app.selectbox(key="ambiguous").label == "Ambiguous images (7)"
    set_by_key(app, "ambiguous", "left-out")
    assert get_config(app).exclude_ambiguous
    assert "7 images marked as ambiguous" in page_text(app)
    assert get_config(show(ambiguous="left-out")).exclude_ambiguous


@pytest.mark.parametrize(
    ("preset", "changes", "message"),
    [
        ("small-soft", [("labels", "four"), ("monitor", "f1_sadness"), ("labels", "three")], None),
        ("small-soft", [("monitor", "f1_contempt"), ("labels", "four")], "f1_contempt is not a metric of the labels"),
    ],
)
def test_invalid_combinations_show_an_error_and_disable_start(
    preset: str, changes: list[tuple[str, str]], message: str | None, show: Show
) -> None:
    app = show(preset=preset)
    for path, value in changes:
        set_widget(app, path, value)
    assert not app.exception
    assert app.button(key="train-start").disabled is (message is not None)
    assert [item.value for item in app.error] == [] if message is None else message in app.error[0].value
    assert "Traceback" not in page_text(app)


def test_an_invalid_gain_range_shows_an_error(show: Show) -> None:
    app = show()
    app.toggle(key="train-augment-values").set_value(True).run()
    set_widget(app, "augment.gain_low", 1.5)
    assert not app.exception
    assert "gain_low" in app.error[0].value
    assert app.button(key="train-start").disabled
    assert app.button(key="train-estimate-button").disabled
    set_widget(app, "augment.gain_high", 2.0)
    assert get_config(app).augment.gain_low == 1.5


def test_combined_rebalancing_is_warned_of(show: Show) -> None:
    app = show(rebalancing="over~inverse~0.999~0")
    assert "correct the same imbalance twice" in app.warning[0].value
    assert not app.button(key="train-start").disabled


def test_an_epoch_smaller_than_a_batch_is_warned_of(show: Show) -> None:
    app = show(rebalancing="under-sampling")
    set_widget(app, "batch_size", 4_096)
    assert any("fewer than one batch" in item.value for item in app.warning)


def test_an_impossible_split_shows_an_error_and_disables_start(dataset: StoredDataset, show: Show) -> None:
    dataset.corrections().mark(Action.EXCLUDE, dataset.index(["id"])["id"], "blurred")
    app = show()
    assert not app.exception
    assert "excluded" in app.error[0].value
    assert app.button(key="train-start").disabled


def test_an_invalid_link_changes_nothing(show: Show) -> None:
    app = show(rebalancing="over~~~", policy="gone", split_config="halves", ambiguous="maybe", preset="nobody")
    assert get_config(app) == get_config(show())


def test_hidden_widgets_keep_their_value_without_effect(show: Show) -> None:
    app = show()
    set_widget(app, "optimizer.momentum", 0.5)
    set_widget(app, "optimizer.name", "adam")
    assert "train-optimizer.momentum" not in {item.key for item in app.number_input}
    assert get_config(app).optimizer.momentum == TrainConfig(dataset="drawn").optimizer.momentum
    set_widget(app, "optimizer.name", "sgd")
    assert get_config(app).optimizer.momentum == 0.5


def test_warmup_is_dropped_with_one_cycle(show: Show) -> None:
    app = show(preset="A-cnn")
    set_widget(app, "optimizer.warmup_epochs", 2.0)
    set_widget(app, "optimizer.schedule", "one_cycle")
    assert get_config(app).optimizer.warmup_epochs == 0


def test_changes_are_named_and_can_be_reset(show: Show) -> None:
    app = show(split_config="seeded")
    set_widget(app, "optimizer.learning_rate", 0.02)
    set_widget(app, "model.width", 8)
    assert "Changed from the preset:" in page_text(app)
    for text in ("network options", "split", "learning rate"):
        assert text in page_text(app)
    app.button(key="train-back").click().run()
    assert get_config(app) == load_config(preset_paths()["small-soft"], ["dataset=drawn"])


def test_titles_with_quotes_survive_the_command(show: Show) -> None:
    app = show()
    title = 'no: "yes", it\'s #5 \\ 10 % $HOME naïve'
    set_widget(app, "title", title)
    assert get_config(app).title == title
    assert json.dumps(title, ensure_ascii=False)[1:6] in app.code[0].value


def test_emulated_bf16_is_warned_of(monkeypatch: pytest.MonkeyPatch, show: Show) -> None:
    monkeypatch.setattr("fer_core.training.precision.processor", lambda: Processor("AVX2 only", frozenset({"avx2"})))
    app = show()
    assert not any("bf16" in item.value for item in app.warning), "automatic resolves to fp32"
    set_widget(app, "precision", "bf16")
    assert any("emulates" in item.value and "automatic" in item.value for item in app.warning)


def test_a_number_out_of_range_disables_start_with_the_reason(show: Show) -> None:
    app = show()
    app = set_widget(app, "epochs", 50_000)
    assert app.button(key="train-start").disabled
    assert "Epochs: 50,000 is out of range (1 to 10,000)." in page_text(app)
    assert get_config(app).epochs == 24, "the config keeps the last valid number"
    assert app.session_state[REQUEST_KEY] is None
    app = set_widget(app, "epochs", 7)
    assert submit_form(app).configs[0].epochs == 7


def test_an_empty_title_is_the_automatic_one(show: Show) -> None:
    app = show()
    field = app.text_input(key="train-title")
    assert field.value == "" and field.placeholder == "FER+ (drawn) · small-se-resnet · width 16 · s0"
    set_widget(app, "title", "  My   run ")
    assert get_config(app).title == "My run"
    set_widget(app, "title", "   ")
    assert get_config(app) == load_config(preset_paths()["small-soft"], ["dataset=drawn"])


def test_the_plan_is_beside_the_start_button(show: Show) -> None:
    text = page_text(show())
    assert "1 run, 24 epochs on FER+ (drawn)," in text and "training images" in text
