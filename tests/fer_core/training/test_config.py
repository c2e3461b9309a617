from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fer_core.data.rebalance import Remedy
from fer_core.errors import ConfigError
from fer_core.training.config import AugmentConfig, TrainConfig, dump_config, load_config, parse_config, presets

SMALL: dict[str, Any] = {"dataset": "ferplus"}


@pytest.mark.parametrize("path", presets().values(), ids=presets())
def test_every_preset_loads_and_comes_back(path: Path, tmp_path: Path) -> None:
    config = load_config(path)
    assert config.title
    (tmp_path / "again.yaml").write_text(dump_config(config))
    assert load_config(tmp_path / "again.yaml") == config


def test_the_recipe_of_the_study_is_as_published() -> None:
    config = load_config(presets()["A-cnn"])
    assert (config.model.name, config.batch_size, config.epochs) == ("shallow-cnn", 64, 50)
    assert (config.optimiser.name, config.optimiser.learning_rate, config.optimiser.schedule) == (
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


def test_an_unknown_key_further_down_lists_those_of_its_place() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({**SMALL, "augment": {"flip": 0.5}})
    assert "unknown key 'augment.flip'" in str(caught.value)
    assert str(caught.value).endswith(f"Known keys: {', '.join(AugmentConfig.model_fields)}.")


@pytest.mark.parametrize("content", [{"class_weights": True}, {"remedy": {"class_weights": True}}])
def test_the_key_that_remedy_replaced_is_unknown_and_the_message_names_what_there_is(content: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"unknown key '(remedy\.)?class_weights'.*Known keys:.*(remedy|weights)"):
        parse_config({**SMALL, **content})


def test_without_a_remedy_nothing_is_corrected() -> None:
    assert parse_config(SMALL).remedy == Remedy(sampling="natural", weights="none", logit_tau=0)
    assert not parse_config(SMALL).leave_out_disputed


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("epochs=5", lambda config: config.epochs == 5),
        ("augment.flip_01=0.5", lambda config: config.augment.flip_01 == 0.5),
        ("remedy.sampling=square_root", lambda config: config.remedy == Remedy(sampling="square_root")),
        ("remedy.weights=inverse", lambda config: config.remedy.weights == "inverse"),
        ("remedy.logit_tau=1", lambda config: config.remedy.logit_tau == 1.0),
        ("leave_out_disputed=true", lambda config: config.leave_out_disputed is True),
        ("title=a=b", lambda config: config.title == "a=b"),
        ("model.width=8", lambda config: config.model.width == 8),
        ("model.width=", lambda config: config.model.width is None),
        ("split.kind=seeded", lambda config: config.split.kind == "seeded"),
        ("optimiser.learning_rate=5.0e-4", lambda config: config.optimiser.learning_rate == 5e-4),
    ],
)
def test_a_change_changes_one_key(change: str, read: Any) -> None:
    before = parse_config(SMALL)
    assert not read(before) or change == "model.width="
    content = {**SMALL, "augment": {"rotate_deg": 3.0}}
    config = parse_config(content, changes=[change])
    assert read(config)
    assert config.augment.rotate_deg == 3.0
    assert content == {**SMALL, "augment": {"rotate_deg": 3.0}}


def test_the_last_change_wins() -> None:
    assert parse_config(SMALL, changes=["epochs=5", "epochs=7"]).epochs == 7


@pytest.mark.parametrize(
    ("change", "said"),
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
def test_a_bad_change_is_an_error_that_names_it(change: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({**SMALL, "epochs": 3}, changes=[change])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        "remedy.sampling=twice",
        "remedy.weights=many",
        "remedy.beta=1",
        "remedy.logit_tau=4.5",
        "remedy.logit_tau=.nan",
        "epochs=0",
        "epochs=1.5",
        "batch_size=1",
        "model.width=3",
        "model.width=1000",
        "model.name=vgg",
        "model.dropout_01=1",
        "augment.flip_01=1.1",
        "augment.shift_01=-0.1",
        "augment.rotate_deg=.nan",
        "optimiser.learning_rate=0",
        "optimiser.learning_rate=.inf",
        "optimiser.momentum=1",
        "ema_decay=1",
        "precision=fp16",
        "select_on=luck",
        "seed=-1",
        "seed=100000000000000000000",
        "split.valid_01=0.5",
        "labels=six",
        "dataset=",
        f"title={'x' * 121}",
    ],
)
def test_a_value_out_of_range_is_an_error_that_names_key_and_value(change: str) -> None:
    key, _, value = change.partition("=")
    with pytest.raises(ConfigError) as caught:
        parse_config(SMALL, "mine.yaml", [change])
    assert f"mine.yaml: {key}: " in str(caught.value)
    assert value.strip(".") in str(caught.value)


@pytest.mark.parametrize("option", ["width=8", "dropout_01=0.1"])
def test_options_that_a_network_does_not_have_are_refused(option: str) -> None:
    with pytest.raises(ConfigError, match="shallow-cnn"):
        parse_config(SMALL, changes=["model.name=shallow-cnn", f"model.{option}"])
    assert parse_config(SMALL, changes=[f"model.{option}"])


@pytest.mark.parametrize("content", [None, [], "words", 3, {}])
def test_what_is_no_config_is_refused(content: object) -> None:
    with pytest.raises(ConfigError):
        parse_config(content)


def test_keys_that_are_no_text_are_refused() -> None:
    with pytest.raises(ConfigError):
        parse_config({**SMALL, 1: 2})


@pytest.mark.parametrize("text", [b"a: [", b"\xff\xfe", b"- 1\n", b""])
def test_a_file_that_is_no_yaml_mapping_is_an_error_that_names_it(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(text)
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        load_config(tmp_path / "mine.yaml")


@pytest.mark.parametrize("name", ["none.yaml", "."])
def test_a_file_that_is_not_there_is_an_error_in_words(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        load_config(tmp_path / name)


def test_a_config_can_not_be_changed() -> None:
    with pytest.raises(ValidationError):
        parse_config(SMALL).epochs = 3
