"""Every config value has a widget in the form that changes only it."""

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
from fer_ui.training.form.widgets import field_info, number_range, shown_number
from tests.fer_ui.training.form.form_page import (
    DATASET,
    Show,
    get_config,
    set_by_key,
    set_widget,
    submit_form,
)

DEFAULTS = "20260101-000000-defaults-0001"
TEACHER = "20260101-000000-teacher-0002"


class Step(NamedTuple):
    """Setting the widget of `path` to `displayed` gives `value`; `key` where it does not follow from the path."""

    path: str
    displayed: Any
    value: Any
    key: str = ""


STEPS = [
    Step("epochs", 7, 7),
    Step("labels", "seven", "seven"),
    Step("corrections", "1", 1),
    Step("extra_datasets", ["feedback"], ["feedback"]),
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
    Step("optimizer.accumulation_steps", 3, 3),
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
"""Steps that are applied one after another."""

STEPS_OF_OTHER_NETWORKS = [
    ("regularized-cnn", Step("model.drop_block_01", 29.0, 0.29)),
    ("resnet18", Step("model.frozen", True, True)),
    ("resnet18", Step("model.pretrained", False, False)),
]


@pytest.fixture
def filled_form(store: Settings, dataset: StoredDataset, show: Show, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The form with defaults, on a machine and a dataset that offer every option."""
    dataset.corrections().mark(Action.AMBIGUOUS, dataset.index(["id"])["id"][:3])

    def load_full_context(of: StoredDataset) -> FormContext:
        contract = model_info("small-se-resnet").contract(LABEL_SETS["seven"])
        context = replace(load_form_context(of), affect=True, gpus=("gpu:0", "gpu:1"), teachers={TEACHER: contract})
        return replace(context, other_datasets=("feedback",))

    monkeypatch.setattr(form, "load_form_context", load_full_context)
    create_run(DEFAULTS, dump_config(TrainConfig(dataset=DATASET)), store)
    app = show(**{"from": DEFAULTS})
    assert get_config(app) == TrainConfig(dataset=DATASET)
    app.toggle(key="train-augment-values").set_value(True).run()
    return set_by_key(app, "rebalancing-kind", "combined")


def changed_values(before: TrainConfig, after: TrainConfig) -> dict[str, Any]:
    """Changed values by path."""
    previous = flatten(before)
    return {path: value for path, value in flatten(after).items() if value != previous[path]}


def test_each_widget_changes_only_its_value(filled_form: AppTest) -> None:
    config = get_config(filled_form)
    for step in STEPS:
        if step.key:
            set_by_key(filled_form, step.key, step.displayed)
        else:
            set_widget(filled_form, step.path, step.displayed)
        after = get_config(filled_form)
        assert changed_values(config, after) == {step.path: step.value}, step
        config = after
    assert submit_form(filled_form).configs == [config]


@pytest.mark.parametrize(("network", "step"), STEPS_OF_OTHER_NETWORKS)
def test_options_of_other_networks_can_be_changed(network: str, step: Step, filled_form: AppTest) -> None:
    before = get_config(filled_form)
    set_widget(filled_form, "model.name", network)
    after = get_config(filled_form)
    assert changed_values(before, after) == {"model.name": network}
    set_widget(filled_form, step.path, step.displayed)
    assert changed_values(after, get_config(filled_form)) == {step.path: step.value}


def test_every_config_value_has_a_widget() -> None:
    covered = (
        {step.path for step in STEPS} | {step.path for _, step in STEPS_OF_OTHER_NETWORKS} | {"dataset", "model.name"}
    )
    of_retraining = {"split_from"}
    assert set(flatten(TrainConfig(dataset=DATASET))) == covered | of_retraining


def test_the_dataset_can_be_changed(store: Settings, filled_form: AppTest) -> None:
    make_synthetic_dataset("another", 80, 0, store)
    before = get_config(filled_form.run())
    set_by_key(filled_form, "dataset", "another")
    assert changed_values(before, get_config(filled_form)) == {"dataset": "another"}


def test_network_options_are_reset_when_the_network_changes(show: Show) -> None:
    app = show(preset="small-soft")
    set_widget(app, "model.width", 8)
    set_widget(app, "model.name", "vgg19-48")
    assert get_config(app).model.options() == {}
    set_widget(app, "model.name", "small-se-resnet")
    assert get_config(app).model.options() == {"width": 16, "dropout_01": 0.1}


def test_a_restored_default_is_not_written(filled_form: AppTest) -> None:
    set_widget(filled_form, "model.width", 32)
    set_widget(filled_form, "model.width", 24)
    assert get_config(filled_form).model.width is None


def test_device_and_priority_belong_to_the_job(filled_form: AppTest) -> None:
    before = get_config(filled_form)
    set_by_key(filled_form, "train-device", "gpu:1")
    request = submit_form(filled_form)
    assert request.device == "gpu:1"
    assert request.configs == [before]
    assert "--device gpu:1" in filled_form.code[0].value


def test_options_that_dataset_or_machine_lack_are_hidden(store: Settings, show: Show) -> None:
    make_synthetic_dataset("labels-alone", 80, 0, store)
    app = show(dataset="labels-alone")
    keys = {widget.key for kind in ("number_input", "selectbox") for widget in getattr(app, kind)}
    assert not {"train-targets", "train-affect_weight", "train-corrections", "train-device"} & keys
    assert app.selectbox(key="train-precision").options == ["automatic", "fp32", "bf16"]


@pytest.mark.parametrize("path", [path for path in FIELDS if field_info(path).annotation in (int, float)])
def test_number_limits_match_the_config(path: str) -> None:
    allowed, whole = number_range(field_info(path), percent=False), field_info(path).annotation is int
    edge = 1 if whole else 1e-6
    low, high = allowed.low + edge * allowed.low_exclusive, allowed.high - edge * allowed.high_exclusive
    assert allowed.contains(low) and allowed.contains(high) and low < high
    assert not allowed.contains(allowed.low - edge) and not allowed.contains(allowed.high + edge)
    defaults = flatten(TrainConfig(dataset=DATASET))
    for value in (low, high):
        limits_of_gain = {"augment.gain_high": 10.0} if path == "augment.gain_low" else {"augment.gain_low": 0.0}
        content = {**defaults, **limits_of_gain, path: int(value) if whole else value}
        if path == "optimizer.warmup_epochs":
            content["optimizer.schedule"] = "cosine"
        assert flatten(TrainConfig.model_validate(unflatten(content)))[path] == content[path]


def test_percentages_are_shown_without_rounding_noise() -> None:
    assert [shown_number(share, percent=True) for share in (0.29, 0.07, 0.1 + 0.2)] == [29, 7, 30]
    assert shown_number(0.29, percent=False) == 0.29
