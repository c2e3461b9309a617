"""Every value of a config can be changed in the form, each by a widget that changes it and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.synthetic.dataset import make_synthetic_dataset
from fer_core.labels import LABEL_SETS
from fer_core.models.catalog import model_info
from fer_core.runs.folder import create_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import TrainConfig, dump_config, flatten
from fer_ui.training.form import form
from fer_ui.training.form.form_config import FIELDS
from fer_ui.training.form.form_context import FormContext, load_form_context
from fer_ui.training.form.form_state import unflatten
from fer_ui.training.form.widgets import field_info, limits, shown_number
from tests.fer_ui.training.form.form_page import (
    DATASET,
    Show,
    config_of,
    set_by_key,
    set_widget,
    wanted_of,
)

DEFAULTS = "20260101-000000-defaults-0001"
TEACHER = "20260101-000000-teacher-0002"


class Step(NamedTuple):
    """Put `shown` into the widget of `path`; the config then has `value` there. A key where it is not the path's."""

    path: str
    shown: Any
    value: Any
    key: str = ""


STEPS = [
    Step("epochs", 7, 7),
    Step("labels", "seven", "seven"),
    Step("corrections", "1", 1),
    Step("exclude_ambiguous", "left-out", True, "ambiguous"),
    Step("split.kind", "seeded", "seeded", "split-kind"),
    Step("split.valid_01", 20.0, 0.2, "split-valid_01"),
    Step("split.test_01", 15.0, 0.15, "split-test_01"),
    Step("split.seed", 4, 4, "split-seed"),
    Step("split.kind", "kfold", "kfold", "split-kind"),
    Step("split.folds", 4, 4, "split-folds"),
    Step("split.fold", 3, 2, "split-fold"),
    Step("targets", "label", "label"),
    Step("affect_weight", 0.5, 0.5),
    Step("batch_size", 16, 16),
    Step("optimizer.learning_rate", 0.00001, 0.00001),
    Step("optimizer.name", "adamw", "adamw"),
    Step("optimizer.name", "sgd", "sgd"),
    Step("optimizer.momentum", 0.5, 0.5),
    Step("optimizer.nesterov", False, False),
    Step("optimizer.weight_decay", 0.25, 0.25),
    Step("optimizer.l1", 0.0001, 0.0001),
    Step("optimizer.schedule", "plateau", "plateau"),
    Step("optimizer.plateau_patience", 5, 5),
    Step("optimizer.plateau_factor", 0.5, 0.5),
    Step("optimizer.warmup_epochs", 1.5, 1.5),
    Step("optimizer.clip_norm", 2.0, 2.0),
    Step("optimizer.accumulate", 3, 3),
    Step("loss.name", "focal", "focal"),
    Step("loss.gamma", 3.5, 3.5),
    Step("loss.label_smoothing", 12.5, 0.125),
    Step("distillation.teachers", [TEACHER], [TEACHER]),
    Step("distillation.share_01", 75.0, 0.75),
    Step("ema_decay", 0.99, 0.99),
    Step("precision", "fp16", "fp16"),
    Step("monitor", "f1_fear", "f1_fear"),
    Step("flip_tta", True, True),
    Step("early_stopping.patience", 6, 6),
    Step("early_stopping.metric", "loss", "loss"),
    Step("early_stopping.min_delta", 0.01, 0.01),
    Step("rebalancing.sampling", "over", "over", "rebalancing-sampling"),
    Step("rebalancing.weights", "effective_number", "effective_number", "rebalancing-weights"),
    Step("rebalancing.beta", 0.9999, 0.9999, "rebalancing-beta"),
    Step("rebalancing.reweight_start_01", 60, 0.6, "rebalancing-reweight_start_01"),
    Step("rebalancing.logit_tau", 0.7, 0.7, "rebalancing-logit_tau"),
    Step("augment.flip_prob", 45.0, 0.45),
    Step("augment.rotate_deg", 12.0, 12.0),
    Step("augment.scale_01", 11.0, 0.11),
    Step("augment.translate_01", 7.0, 0.07),
    Step("augment.shear_01", 29.0, 0.29),
    Step("augment.gain_high", 1.7, 1.7),
    Step("augment.gain_low", 0.3, 0.3),
    Step("augment.brightness_01", 8.0, 0.08),
    Step("augment.contrast_01", 9.0, 0.09),
    Step("augment.erase_prob", 35.0, 0.35),
    Step("augment.crop_min_01", 57.0, 0.57),
    Step("augment.gamma_01", 0.4, 0.4),
    Step("augment.grayscale_prob", 14.0, 0.14),
    Step("augment.blur_px", 1.5, 1.5),
    Step("augment.noise_01", 2.5, 0.025),
    Step("augment.jpeg_prob", 28.0, 0.28),
    Step("augment.jpeg_quality_min", 55, 55),
    Step("augment.downscale_prob", 21.0, 0.21),
    Step("augment.downscale_px_min", 24, 24),
    Step("augment.glasses_prob", 13.0, 0.13),
    Step("augment.hand_prob", 16.0, 0.16),
    Step("augment.degrade_prob", 65.0, 0.65),
    Step("augment.mixup_alpha", 0.2, 0.2),
    Step("augment.cutmix_alpha", 1.0, 1.0),
    Step("augment.mix_until_01", 85.0, 0.85),
    Step("seed", 99, 99),
    Step("title", "A title", "A title"),
    Step("init_from", "weights.pt", "weights.pt"),
    Step("model.width", 32, 32),
    Step("model.dropout_01", 0.0, 0.0),
    Step("model.size_px", 64, 64),
]
"""In an order in which each applies; they add up."""

OF_OTHER_NETWORKS = [
    ("regularized-cnn", Step("model.drop_block_01", 29.0, 0.29)),
    ("resnet18", Step("model.frozen", True, True)),
    ("resnet18", Step("model.pretrained", False, False)),
]


@pytest.fixture
def begun(store: Settings, dataset: StoredDataset, show: Show, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The form filled with defaults alone, on a machine and a dataset that offer everything."""
    dataset.corrections().mark(Action.AMBIGUOUS, dataset.index(["id"])["id"][:3])

    def everything(of: StoredDataset) -> FormContext:
        contract = model_info("small-se-resnet").contract(LABEL_SETS["seven"])
        return replace(load_form_context(of), affect=True, gpus=("gpu:0", "gpu:1"), teachers={TEACHER: contract})

    monkeypatch.setattr(form, "load_form_context", everything)
    create_run(DEFAULTS, dump_config(TrainConfig(dataset=DATASET)), store)
    app = show(**{"from": DEFAULTS})
    assert config_of(app) == TrainConfig(dataset=DATASET)
    app.toggle(key="train-augment-values").set_value(True).run()
    return set_by_key(app, "rebalancing-kind", "combined")


def changed(before: TrainConfig, after: TrainConfig) -> dict[str, Any]:
    """What differs, by path."""
    was = flatten(before)
    return {path: value for path, value in flatten(after).items() if value != was[path]}


def test_each_widget_changes_what_it_names_and_nothing_else(begun: AppTest) -> None:
    config = config_of(begun)
    for step in STEPS:
        if step.key:
            set_by_key(begun, step.key, step.shown)
        else:
            set_widget(begun, step.path, step.shown)
        after = config_of(begun)
        assert changed(config, after) == {step.path: step.value}, step
        config = after
    assert wanted_of(begun).configs == [config]


@pytest.mark.parametrize(("network", "step"), OF_OTHER_NETWORKS)
def test_options_of_other_networks_too(network: str, step: Step, begun: AppTest) -> None:
    before = config_of(begun)
    set_widget(begun, "model.name", network)
    after = config_of(begun)
    assert changed(before, after) == {"model.name": network}
    set_widget(begun, step.path, step.shown)
    assert changed(after, config_of(begun)) == {step.path: step.value}


def test_no_value_of_a_config_is_out_of_reach() -> None:
    reached = {step.path for step in STEPS} | {step.path for _, step in OF_OTHER_NETWORKS} | {"dataset", "model.name"}
    assert set(flatten(TrainConfig(dataset=DATASET))) == reached


def test_the_dataset_is_a_choice(store: Settings, begun: AppTest) -> None:
    make_synthetic_dataset("another", 80, 0, store)
    before = config_of(begun.run())
    set_by_key(begun, "dataset", "another")
    assert changed(before, config_of(begun)) == {"dataset": "another"}


def test_options_of_a_network_are_put_back_when_another_is_chosen(show: Show) -> None:
    app = show(preset="small-soft")
    set_widget(app, "model.width", 8)
    set_widget(app, "model.name", "vgg19-48")
    assert config_of(app).model.options() == {}
    set_widget(app, "model.name", "small-se-resnet")
    assert config_of(app).model.options() == {"width": 16, "dropout_01": 0.1}


def test_a_default_that_was_put_back_is_not_written_down(begun: AppTest) -> None:
    set_widget(begun, "model.width", 32)
    set_widget(begun, "model.width", 24)
    assert config_of(begun).model.width is None


def test_the_device_and_the_priority_are_of_the_job(begun: AppTest) -> None:
    before = config_of(begun)
    set_by_key(begun, "train-device", "gpu:1")
    wanted = wanted_of(begun)
    assert wanted.device == "gpu:1"
    assert wanted.configs == [before]
    assert "--device gpu:1" in begun.code[0].value


def test_what_the_dataset_and_the_machine_lack_is_not_asked(store: Settings, show: Show) -> None:
    make_synthetic_dataset("labels-alone", 80, 0, store)
    app = show(dataset="labels-alone")
    keys = {each.key for kind in ("number_input", "selectbox") for each in getattr(app, kind)}
    assert not {"train-targets", "train-affect_weight", "train-corrections", "train-device"} & keys
    assert app.selectbox(key="train-precision").options == ["automatic", "fp32", "bf16"]


@pytest.mark.parametrize("path", [path for path in FIELDS if field_info(path).annotation in (int, float)])
def test_the_limits_of_a_number_are_those_of_the_config(path: str) -> None:
    low, high = limits(field_info(path))
    assert low < high
    usual = flatten(TrainConfig(dataset=DATASET))
    for value in (low, high):
        others = {"augment.gain_high": 10.0} if path == "augment.gain_low" else {"augment.gain_low": 0.0}
        content = {**usual, **others, path: int(value) if field_info(path).annotation is int else value}
        if path == "optimizer.warmup_epochs":
            content["optimizer.schedule"] = "cosine"
        assert flatten(TrainConfig.model_validate(unflatten(content)))[path] == content[path]


def test_percentages_are_shown_without_the_noise_of_computing() -> None:
    assert [shown_number(share, percent=True) for share in (0.29, 0.07, 0.1 + 0.2)] == [29, 7, 30]
    assert shown_number(0.29, percent=False) == 0.29
