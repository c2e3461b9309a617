from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fer_core.data.imbalance.rebalancing import Rebalancing
from fer_core.errors import ConfigError
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.config.augmentation_policies import policies
from fer_core.training.config.train_config import (
    TrainConfig,
    dump_config,
    flatten,
    load_config,
    parse_config,
    preset_paths,
)

SMALL: dict[str, Any] = {"dataset": "ferplus"}


@pytest.mark.parametrize("path", preset_paths().values(), ids=preset_paths())
def test_every_preset_round_trips(path: Path, tmp_path: Path) -> None:
    config = load_config(path)
    assert config.title
    (tmp_path / "again.yaml").write_text(dump_config(config))
    assert load_config(tmp_path / "again.yaml") == config


def test_presets_are_the_studies_and_our_own() -> None:
    studies = {"A-cnn", "A-resnet18-frozen", "A-resnet18-finetuned", "B-baseline", "B-transfer", "C-vgg16"}
    assert set(preset_paths()) == studies | {"small-soft", "balanced", "teacher", "webcam"}


@pytest.mark.parametrize("frozen", [True, False])
def test_study_as_transfer_learning_is_as_published(frozen: bool) -> None:
    config = load_config(preset_paths()["A-resnet18-frozen" if frozen else "A-resnet18-finetuned"])
    assert (config.model.name, config.model.pretrained, config.model.frozen) == ("resnet18", True, frozen)
    assert (config.optimizer.learning_rate, config.batch_size, config.epochs) == (2e-4, 32, 50)
    assert (config.monitor, config.labels, config.targets) == ("accuracy", "eight", "label")


@pytest.mark.parametrize("name", ["B-baseline", "B-transfer"])
def test_study_b_has_its_four_classes_and_its_augmentation(name: str) -> None:
    config = load_config(preset_paths()[name])
    assert config.labels == "four"
    assert config.augment == policies()["study-b"].augment
    assert name == "B-transfer" or config.model.size_px == 48


def test_study_c_is_as_published() -> None:
    config = load_config(preset_paths()["C-vgg16"])
    assert (config.model.name, config.model.frozen, config.model.dropout_01) == ("vgg16", True, 0.1)
    assert (config.labels, config.epochs) == ("three", 10)
    assert config.augment == policies()["study-c"].augment


def test_the_balanced_preset_corrects_the_imbalance_once_on_soft_labels() -> None:
    config = load_config(preset_paths()["balanced"])
    assert 0 < config.rebalancing.logit_tau <= 1
    assert (config.rebalancing.sampling, config.rebalancing.weights) == ("natural", "none")
    assert (config.targets, config.monitor) == ("votes", "balanced_accuracy")


def test_study_as_preset_is_as_published() -> None:
    config = load_config(preset_paths()["A-cnn"])
    assert (config.model.name, config.batch_size, config.epochs) == ("shallow-cnn", 64, 50)
    assert (config.optimizer.name, config.optimizer.learning_rate, config.optimizer.schedule) == (
        "adam",
        5e-4,
        "constant",
    )
    assert config.augment == AugmentConfig()


def test_an_unknown_key_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({**SMALL, "epoch": 5}, "mine.yaml")
    assert "mine.yaml: unknown key 'epoch'" in str(caught.value)
    assert all(key in str(caught.value) for key in TrainConfig.model_fields)


def test_an_unknown_nested_key_lists_the_keys_of_its_section() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({**SMALL, "augment": {"flip": 0.5}})
    assert "unknown key 'augment.flip'" in str(caught.value)
    assert str(caught.value).endswith(f"Known keys: {', '.join(AugmentConfig.model_fields)}.")


@pytest.mark.parametrize("content", [{"class_weights": True}, {"rebalancing": {"class_weights": True}}])
def test_a_removed_key_is_unknown_and_its_successor_is_named(content: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigError, match=r"unknown key '(rebalancing\.)?class_weights'.*Known keys:.*(rebalancing|weights)"
    ):
        parse_config({**SMALL, **content})


def test_nothing_is_rebalanced_by_default() -> None:
    assert parse_config(SMALL).rebalancing == Rebalancing(sampling="natural", weights="none", logit_tau=0)
    assert not parse_config(SMALL).exclude_ambiguous


@pytest.mark.parametrize(
    ("change", "has_changed"),
    [
        ("epochs=5", lambda config: config.epochs == 5),
        ("augment.flip_prob=0.5", lambda config: config.augment.flip_prob == 0.5),
        ("rebalancing.sampling=square_root", lambda config: config.rebalancing == Rebalancing(sampling="square_root")),
        ("rebalancing.weights=inverse", lambda config: config.rebalancing.weights == "inverse"),
        ("rebalancing.logit_tau=1", lambda config: config.rebalancing.logit_tau == 1.0),
        ("exclude_ambiguous=true", lambda config: config.exclude_ambiguous is True),
        ("title=a=b", lambda config: config.title == "a=b"),
        ("model.width=8", lambda config: config.model.width == 8),
        ("model.width=", lambda config: config.model.width is None),
        ("split.kind=seeded", lambda config: config.split.kind == "seeded"),
        ("optimizer.learning_rate=5.0e-4", lambda config: config.optimizer.learning_rate == 5e-4),
    ],
)
def test_a_change_changes_one_key(change: str, has_changed: Any) -> None:
    original = parse_config(SMALL)
    assert not has_changed(original) or change == "model.width="
    content = {**SMALL, "augment": {"rotate_deg": 3.0}}
    config = parse_config(content, changes=[change])
    assert has_changed(config)
    assert config.augment.rotate_deg == 3.0
    assert content == {**SMALL, "augment": {"rotate_deg": 3.0}}


def test_the_last_change_wins() -> None:
    assert parse_config(SMALL, changes=["epochs=5", "epochs=7"]).epochs == 7


@pytest.mark.parametrize(
    ("change", "expected_message"),
    [
        ("epochs", "not key=value"),
        ("=5", "not key=value"),
        ("", "not key=value"),
        ("epoch=5", "unknown key 'epoch'"),
        ("augment.flip=1", "unknown key 'augment.flip'"),
        ("epochs.more=5", "'epochs' is a single value"),
        ("title=[1", "title=[1"),
        ("title=a: b: c", "title=a: b: c"),
        ("epochs=many", "epochs"),
    ],
)
def test_an_invalid_change_is_named(change: str, expected_message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({**SMALL, "epochs": 3}, changes=[change])
    assert expected_message in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        "rebalancing.sampling=twice",
        "rebalancing.weights=many",
        "rebalancing.beta=1",
        "rebalancing.logit_tau=4.5",
        "rebalancing.logit_tau=.nan",
        "epochs=0",
        "epochs=1.5",
        "batch_size=1",
        "model.width=3",
        "model.width=1000",
        "model.name=vgg",
        "model.dropout_01=1",
        "augment.flip_prob=1.1",
        "augment.translate_01=-0.1",
        "augment.rotate_deg=.nan",
        "optimizer.learning_rate=0",
        "optimizer.learning_rate=.inf",
        "optimizer.momentum=1",
        "ema_decay=1",
        "precision=fp8",
        "monitor=luck",
        "optimizer.name=lion",
        "optimizer.schedule=steps",
        "optimizer.l1=-1",
        "optimizer.clip_norm=-1",
        "optimizer.accumulation_steps=0",
        "optimizer.plateau_factor=1",
        "loss.name=hinge",
        "loss.gamma=-1",
        "loss.label_smoothing=1",
        "affect_weight=-1",
        "early_stopping.patience=-1",
        "early_stopping.metric=luck",
        "augment.crop_min_01=0",
        "augment.jpeg_quality_min=96",
        "augment.mixup_alpha=-1",
        "seed=-1",
        "seed=100000000000000000000",
        "split.valid_01=0.5",
        "labels=six",
        "dataset=",
        f"title={'x' * 121}",
    ],
)
def test_a_value_out_of_range_is_named_with_its_key(change: str) -> None:
    key, _, value = change.partition("=")
    with pytest.raises(ConfigError) as caught:
        parse_config(SMALL, "mine.yaml", [change])
    assert f"mine.yaml: {key}: " in str(caught.value)
    assert value.strip(".") in str(caught.value)


@pytest.mark.parametrize("key", ["monitor", "early_stopping.metric"])
def test_the_monitored_expression_must_be_in_the_label_set(key: str) -> None:
    assert parse_config(SMALL, changes=[f"{key}=f1_contempt"])
    with pytest.raises(ConfigError, match=rf"config: {key.split('.')[0]}: f1_contempt is not a metric .*'seven'"):
        parse_config(SMALL, changes=["labels=seven", f"{key}=f1_contempt"])


def test_one_cycle_refuses_a_second_warmup() -> None:
    with pytest.raises(ConfigError, match=r"optimizer\.warmup_epochs: one_cycle has its own warm-up"):
        parse_config(SMALL, changes=["optimizer.warmup_epochs=1"])
    assert parse_config(SMALL, changes=["optimizer.schedule=cosine", "optimizer.warmup_epochs=1"])


def test_a_config_of_the_first_version_keeps_its_meaning() -> None:
    config = load_config(Path(__file__).with_name("first_version.yaml"))
    original = {
        "optimizer": {"nesterov": True, "l1": 0, "warmup_epochs": 0, "clip_norm": 0, "accumulation_steps": 1},
        "loss": {"name": "cross_entropy", "label_smoothing": 0},
        "early_stopping": {"patience": 0},
        "augment": {"crop_min_01": 1, "gamma_01": 0, "grayscale_prob": 0, "blur_px": 0, "noise_01": 0, "jpeg_prob": 0},
        "rebalancing": {"reweight_start_01": 0},
    }
    for section, values in original.items():
        for key, value in values.items():
            assert getattr(getattr(config, section), key) == value, key
    assert (config.affect_weight, config.augment.mixes) == (0, False)


@pytest.mark.parametrize("option", ["width=8", "dropout_01=0.1"])
def test_options_that_a_network_lacks_are_refused(option: str) -> None:
    with pytest.raises(ConfigError, match="shallow-cnn"):
        parse_config(SMALL, changes=["model.name=shallow-cnn", f"model.{option}"])
    assert parse_config(SMALL, changes=[f"model.{option}"])


@pytest.mark.parametrize("content", [None, [], "words", 3, {}])
def test_invalid_content_is_refused(content: object) -> None:
    with pytest.raises(ConfigError):
        parse_config(content)


def test_keys_must_be_text() -> None:
    with pytest.raises(ConfigError):
        parse_config({**SMALL, 1: 2})


@pytest.mark.parametrize("text", [b"a: [", b"\xff\xfe", b"- 1\n", b""])
def test_a_file_without_a_yaml_mapping_is_named(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(text)
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        load_config(tmp_path / "mine.yaml")


@pytest.mark.parametrize("name", ["none.yaml", "."])
def test_a_missing_file_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        load_config(tmp_path / name)


def test_nested_settings_are_flattened_to_paths() -> None:
    assert flatten({"a": 1, "b": {"c": {"d": 2}}}) == {"a": 1, "b.c.d": 2}
    assert flatten({"a": {}, "b": None, "c": [{"d": 1}], 5: {6: ""}}) == {"b": None, "c": [{"d": 1}], "5.6": ""}


def test_flattened_values_are_complete() -> None:
    values = flatten(parse_config(SMALL | {"split": {"kind": "seeded"}}))
    assert (values["dataset"], values["split.kind"], values["corrections"]) == ("ferplus", "seeded", None)
    assert {path.partition(".")[0] for path in values} == set(TrainConfig.model_fields)


def test_a_config_is_immutable() -> None:
    with pytest.raises(ValidationError):
        parse_config(SMALL).epochs = 3
