"""The form as a whole: what a preset, a copy or a link brings to it, and what it asks for."""

from __future__ import annotations

import json

import pytest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing
from fer_core.data.splits.split import SplitConfig
from fer_core.system.processor import Processor
from fer_core.training.config.augmentation_policies import policies
from fer_core.training.config.presets import PRESETS
from fer_core.training.config.train_config import TrainConfig, load_config, preset_paths
from fer_ui.datasets.imbalance.rebalancing_picker import rebalancing_to_query
from fer_ui.datasets.split_choice import split_to_query
from tests.fer_ui.training.form.form_page import (
    Show,
    config_of,
    configs_of,
    set_by_key,
    set_widget,
    wanted_of,
)
from tests.support.app_test import page_text


@pytest.mark.parametrize(
    "rebalancing",
    [
        *(each.rebalancing for each in STRATEGIES.values()),
        Rebalancing(sampling="over", weights="inverse"),
        Rebalancing(weights="effective_number", beta=0.99999, logit_tau=1 / 3, reweight_start_01=0.5),
    ],
    ids=rebalancing_to_query,
)
def test_a_remedy_in_the_link_is_chosen_whatever_the_preset_has(rebalancing: Rebalancing, show: Show) -> None:
    app = show(rebalancing=rebalancing_to_query(rebalancing), preset="balanced")
    assert config_of(app).rebalancing == rebalancing
    assert ("Rebalancing:" in page_text(app)) is (rebalancing != Rebalancing())


def test_the_presets_own_remedy_is_kept_without_a_link(show: Show) -> None:
    app = show(preset="balanced")
    assert config_of(app).rebalancing == Rebalancing(logit_tau=0.5)
    set_by_key(app, "rebalancing-logit_tau", 0.8)
    assert config_of(app).rebalancing == Rebalancing(logit_tau=0.8)
    set_by_key(app, "rebalancing-kind", "natural")
    assert config_of(app).rebalancing == Rebalancing()
    app.button(key="train-back").click().run()
    assert config_of(app).rebalancing == Rebalancing(logit_tau=0.5)


@pytest.mark.parametrize("preset", ["small-soft", "B-baseline"])
def test_every_policy_in_the_link_is_used_whole(preset: str, show: Show) -> None:
    for name, policy in policies().items():
        assert config_of(show(preset=preset, policy=name)).augment == policy.augment
    app = show(preset=preset, policy="strong")
    set_by_key(app, "policy", "custom")
    assert config_of(app).augment == PRESETS[preset].config.augment


def test_a_value_of_a_policy_changed_makes_all_of_it_ones_own(show: Show) -> None:
    app = show(policy="study-b")
    app.toggle(key="train-augment-values").set_value(True).run()
    set_widget(app, "augment.flip_prob", 25)
    assert config_of(app).augment == policies()["study-b"].augment.model_copy(update={"flip_prob": 0.25})
    assert "policy" not in app.query_params


@pytest.mark.parametrize(
    ("split", "says"),
    [
        (SplitConfig(kind="seeded", valid_01=0.15, test_01=0.15, seed=3), "70/15/15, seed 3"),
        (SplitConfig(kind="kfold", folds=4, fold=2, seed=1), "Fold 3 of 4, seed 1, is the test split"),
        (SplitConfig(), "published training, validation and test splits"),
    ],
)
def test_a_split_in_the_link_is_used_and_said(split: SplitConfig, says: str, show: Show) -> None:
    app = show(split_config=split_to_query(split))
    assert config_of(app).split == split
    assert says in page_text(app)


def test_one_fold_can_be_started_or_all_of_them(show: Show) -> None:
    app = show(split_config="kfold~0.1~0.1~4~1~7")
    one = wanted_of(app)
    assert [config.split.fold for config in one.configs] == [1]
    set_by_key(app, "train-all-folds", True)
    assert app.button(key="train-start").label == "Start 4 trainings"
    assert "Each of 4 folds, seed 7" in page_text(app)
    configs = configs_of(app)
    wanted = wanted_of(app)
    assert wanted.configs == configs
    assert [config.split.fold for config in configs] == [0, 1, 2, 3]
    assert len({config.title for config in configs}) == 4
    same = {config.model_copy(update={"title": "", "split": SplitConfig()}).model_dump_json() for config in configs}
    assert len(same) == 1
    set_by_key(app, "split-kind", "seeded")
    assert len(wanted_of(app).configs) == 1


def test_fewer_folds_than_the_one_that_judges_take_the_last(show: Show) -> None:
    app = show(split_config="kfold~0.1~0.1~8~7~0")
    set_by_key(app, "split-folds", 3)
    assert config_of(app).split == SplitConfig(kind="kfold", folds=3, fold=2)


def test_shares_that_leave_nothing_are_kept_apart(show: Show) -> None:
    app = show(split_config="seeded~0.1~0.85~5~0~0")
    set_by_key(app, "split-valid_01", 40)
    assert config_of(app).split.test_01 == pytest.approx(0.59)


def test_what_is_wanted_is_what_is_shown(show: Show) -> None:
    app = show(preset="A-cnn", rebalancing="square-root-sampling")
    set_by_key(app, "train-priority", 5)
    expected = config_of(app)
    wanted = wanted_of(app)
    assert (wanted.configs, wanted.priority, wanted.device) == ([expected], 5, "")
    assert "--priority 5" in app.code[0].value
    assert app.session_state["test-wanted"] is not None
    app.run()
    assert app.session_state["test-wanted"] is None


def test_ambiguous_images_can_be_left_out(dataset: StoredDataset, show: Show) -> None:
    dataset.corrections().mark(Action.AMBIGUOUS, dataset.index(["id"])["id"][:7])
    app = show()
    assert app.selectbox(key="ambiguous").label == "Ambiguous images (7)"
    set_by_key(app, "ambiguous", "left-out")
    assert config_of(app).exclude_ambiguous
    assert "7 images marked as ambiguous" in page_text(app)
    assert config_of(show(ambiguous="left-out")).exclude_ambiguous


@pytest.mark.parametrize(
    ("preset", "changes", "says"),
    [
        ("small-soft", [("labels", "four"), ("monitor", "f1_sadness"), ("labels", "three")], None),
        ("small-soft", [("monitor", "f1_contempt"), ("labels", "four")], "f1_contempt is not a metric of the labels"),
    ],
)
def test_what_does_not_go_together_is_a_notice_and_nothing_can_be_started(
    preset: str, changes: list[tuple[str, str]], says: str | None, show: Show
) -> None:
    app = show(preset=preset)
    for path, value in changes:
        set_widget(app, path, value)
    assert not app.exception
    assert app.button(key="train-start").disabled is (says is not None)
    assert [each.value for each in app.error] == [] if says is None else says in app.error[0].value
    assert "Traceback" not in page_text(app)


def test_a_gain_from_more_than_to_is_a_notice(show: Show) -> None:
    app = show()
    app.toggle(key="train-augment-values").set_value(True).run()
    set_widget(app, "augment.gain_low", 1.5)
    assert not app.exception
    assert "gain_low" in app.error[0].value
    assert app.button(key="train-start").disabled
    assert app.button(key="train-estimate-button").disabled
    set_widget(app, "augment.gain_high", 2.0)
    assert config_of(app).augment.gain_low == 1.5


def test_two_remedies_for_one_imbalance_are_warned_of(show: Show) -> None:
    app = show(rebalancing="over~inverse~0.999~0")
    assert "correct the same imbalance twice" in app.warning[0].value
    assert not app.button(key="train-start").disabled


def test_an_epoch_of_less_than_a_batch_is_told_before(show: Show) -> None:
    app = show(rebalancing="under-sampling")
    set_widget(app, "batch_size", 4_096)
    assert any("fewer than one batch" in each.value for each in app.warning)


def test_a_division_that_can_not_be_made_is_told_and_nothing_starts(dataset: StoredDataset, show: Show) -> None:
    dataset.corrections().mark(Action.EXCLUDE, dataset.index(["id"])["id"], "blurred")
    app = show()
    assert not app.exception
    assert "excluded" in app.error[0].value
    assert app.button(key="train-start").disabled


def test_a_link_that_makes_no_sense_changes_nothing(show: Show) -> None:
    app = show(rebalancing="over~~~", policy="gone", split_config="halves", ambiguous="maybe", preset="nobody")
    assert config_of(app) == config_of(show())


def test_what_is_not_shown_keeps_its_value_but_does_not_count(show: Show) -> None:
    app = show()
    set_widget(app, "optimizer.momentum", 0.5)
    set_widget(app, "optimizer.name", "adam")
    assert "train-optimizer.momentum" not in {each.key for each in app.number_input}
    assert config_of(app).optimizer.momentum == TrainConfig(dataset="drawn").optimizer.momentum
    set_widget(app, "optimizer.name", "sgd")
    assert config_of(app).optimizer.momentum == 0.5


def test_a_warm_up_does_not_survive_a_schedule_that_has_its_own(show: Show) -> None:
    app = show(preset="A-cnn")
    set_widget(app, "optimizer.warmup_epochs", 2.0)
    set_widget(app, "optimizer.schedule", "one_cycle")
    assert config_of(app).optimizer.warmup_epochs == 0


def test_what_changed_is_named_and_taken_back(show: Show) -> None:
    app = show(split_config="seeded")
    set_widget(app, "optimizer.learning_rate", 0.02)
    set_widget(app, "model.width", 8)
    assert "Changed from the preset:" in page_text(app)
    for words in ("network options", "split", "learning rate"):
        assert words in page_text(app)
    app.button(key="train-back").click().run()
    assert config_of(app) == load_config(preset_paths()["small-soft"], ["dataset=drawn"])


def test_titles_with_quotes_survive_the_command(show: Show) -> None:
    app = show()
    title = 'no: "yes", it\'s #5 \\ 10 % $HOME naïve'
    set_widget(app, "title", title)
    assert config_of(app).title == title
    assert json.dumps(title, ensure_ascii=False)[1:6] in app.code[0].value


def test_a_precision_that_the_processor_emulates_is_warned_of(monkeypatch: pytest.MonkeyPatch, show: Show) -> None:
    monkeypatch.setattr("fer_core.training.precision.processor", lambda: Processor("AVX2 only", frozenset({"avx2"})))
    app = show()
    assert not any("bf16" in each.value for each in app.warning), "automatic takes fp32 there"
    set_widget(app, "precision", "bf16")
    assert any("emulates" in each.value and "automatic" in each.value for each in app.warning)
