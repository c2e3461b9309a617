"""What a training run is asked to do: a frozen, closed configuration, read from YAML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from fer_core.data.rebalance import Remedy
from fer_core.data.split import SplitConfig
from fer_core.errors import ConfigError
from fer_core.labels import LABEL_SETS

PRESETS_DIR = Path(__file__).parent / "presets"

SelectOn = Literal["macro_f1", "balanced_accuracy", "accuracy", "loss"]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelConfig(_Closed):
    """Which network. `width` and `dropout_01` are the residual network's; leave them out for others."""

    name: Literal["small-resnet", "shallow-cnn"] = "small-resnet"
    width: int | None = Field(None, ge=4, le=128)
    dropout_01: float | None = Field(None, ge=0, lt=1)

    @model_validator(mode="after")
    def _has_its_options(self) -> Self:
        if self.name == "shallow-cnn" and (given := ", ".join(self.options())):
            raise ValueError(f"shallow-cnn has one shape only and no {given}; leave it out or set it to null")
        return self

    def options(self) -> dict[str, Any]:
        """The options that were given, for the network's builder."""
        return self.model_dump(exclude={"name"}, exclude_none=True)


class AugmentConfig(_Closed):
    """How far training images are changed at random; as it stands here, nothing is.

    Degrees for `rotate_deg`; shares of the side for `shift_01`; the tangent of the angle by which upright lines lean
    for `shear_01`; shares of 1 for `scale_01`, `brightness_01` and `contrast_01`; probabilities for `flip_01` and
    `erase_01` (one patch of a tenth to a third of the side). Gray levels are multiplied by a number from `gain_low`
    to `gain_high`; `brightness_01` is added to them.
    """

    flip_01: float = Field(0.0, ge=0, le=1)
    rotate_deg: float = Field(0.0, ge=0, le=90)
    scale_01: float = Field(0.0, ge=0, lt=0.9)
    shift_01: float = Field(0.0, ge=0, le=0.5)
    shear_01: float = Field(0.0, ge=0, lt=1)
    gain_low: float = Field(1.0, ge=0, le=10)
    gain_high: float = Field(1.0, gt=0, le=10, validate_default=True)
    brightness_01: float = Field(0.0, ge=0, lt=1)
    contrast_01: float = Field(0.0, ge=0, lt=1)
    erase_01: float = Field(0.0, ge=0, le=1)

    @field_validator("gain_high")
    @classmethod
    def _not_below_its_low_end(cls, high: float, others: ValidationInfo) -> float:
        low = others.data.get("gain_low", high)
        if high < low:
            raise ValueError(f"the gain is drawn from gain_low, which is {low}, up to this; make this {low} or more")
        return high


class OptimiserConfig(_Closed):
    """How weights are moved. `schedule` one_cycle: up over the first tenth, then a cosine to zero."""

    name: Literal["sgd", "adam"] = "sgd"
    learning_rate: float = Field(0.1, gt=0, le=10)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0, le=1)
    schedule: Literal["constant", "one_cycle"] = "one_cycle"


class TrainConfig(_Closed):
    """Everything that decides a run beside the data itself.

    `corrections` is the version of the dataset's overlay that is used; the newest when the run begins by default.
    `targets`: "votes" trains on the share of votes (single votes zeroed) where there are votes, "label" on the
    label alone. `leave_out_disputed` learns nothing from images that are marked as disputed. `remedy` is what is done
    about imbalance. `ema_decay` 0 switches weight averaging off. `select_on` decides which epoch is kept.
    """

    dataset: str
    labels: str = "eight"
    model: ModelConfig = ModelConfig()
    corrections: int | None = Field(None, ge=0)
    split: SplitConfig = SplitConfig()
    targets: Literal["votes", "label"] = "votes"
    leave_out_disputed: bool = False
    epochs: int = Field(20, ge=1, le=10_000)
    batch_size: int = Field(64, ge=2, le=65_536)
    optimiser: OptimiserConfig = OptimiserConfig()
    augment: AugmentConfig = AugmentConfig()
    remedy: Remedy = Remedy()
    ema_decay: float = Field(0.0, ge=0, lt=1)
    precision: Literal["fp32", "bf16"] = "fp32"
    select_on: SelectOn = "macro_f1"
    seed: int = Field(0, ge=0, lt=2**63)
    title: str = Field("", max_length=120)


def parse_config(content: object, name: str = "config", changes: Iterable[str] = ()) -> TrainConfig:
    """A config from plain data with `key.sub=value` changes on top.

    Raises:
        ConfigError: an unknown key (the message lists the known ones), or a value out of its range.
    """
    if not isinstance(content, dict):
        raise ConfigError(f"{name} is not a mapping of keys to values.")
    for change in changes:
        content = _changed(content, change)
    try:
        config = TrainConfig.model_validate(content)
    except ValidationError as exc:
        raise ConfigError(in_words(exc, name, TrainConfig)) from exc
    if config.labels not in LABEL_SETS:
        raise ConfigError(f"{name}: labels: {config.labels!r} is not one of {', '.join(LABEL_SETS)}.")
    return config


def load_config(path: Path, changes: Iterable[str] = ()) -> TrainConfig:
    """Read a config file; see `parse_config`.

    Raises:
        ConfigError: also when the file is missing or is not YAML.
    """
    return parse_config(read_yaml(path), path.name, changes)


def read_yaml(path: Path) -> object:
    """What a YAML file holds.

    Raises:
        ConfigError: it is missing, or is not YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path} can't be read: {exc.strerror}.") from exc
    except (UnicodeDecodeError, yaml.YAMLError) as exc:
        raise ConfigError(f"{path.name} is not YAML: {exc}") from exc


def dump_config(config: TrainConfig) -> str:
    """The config as YAML that `load_config` reads back."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def presets() -> dict[str, Path]:
    """The recipes that come with FERscope, by name."""
    return {path.stem: path for path in sorted(PRESETS_DIR.glob("*.yaml"))}


def _changed(content: dict[str, Any], change: str) -> dict[str, Any]:
    """A copy of `content` with one `key.sub=value` applied; the value is read as YAML."""
    key, equals, value = change.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {change!r} is not key=value, such as --set epochs=5 or --set augment.flip_01=0.5.")
    head, _, rest = key.partition(".")
    inner = content.get(head)
    if not rest:
        try:
            return {**content, head: yaml.safe_load(value)}
        except yaml.YAMLError as exc:
            raise ConfigError(f"--set {change!r}: {value!r} is not YAML. Put text in quotes.") from exc
    if inner is not None and not isinstance(inner, dict):
        raise ConfigError(f"--set {change!r}: {head!r} is a single value and has nothing below it.")
    return {**content, head: _changed(inner or {}, f"{rest}={value}")}


def in_words(exc: ValidationError, name: str, kind: type[BaseModel]) -> str:
    """What is wrong with `name`, which should have been one of `kind`: the key, the value, and what would be right."""
    problem = exc.errors()[0]
    place = [str(part) for part in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        return f"{name}: unknown key {'.'.join(place)!r}. Known keys: {', '.join(_known_keys(place[:-1], kind))}."
    return f"{name}: {'.'.join(place)}: {problem['msg'].removeprefix('Value error, ')} (got {problem.get('input')!r})."


def _known_keys(place: list[str], kind: type[BaseModel]) -> list[str]:
    for part in place:
        inner = kind.model_fields[part].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            kind = inner
    return list(kind.model_fields)
