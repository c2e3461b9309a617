"""What a training run is asked to do: a frozen, closed configuration, read from YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, ValidationInfo, field_validator

from fer_core.data.imbalance.rebalancing import Rebalancing
from fer_core.data.splits.split import SplitConfig
from fer_core.errors import ConfigError
from fer_core.files.migration import rename_config_keys, rename_config_path
from fer_core.files.strict_model import StrictModel, format_validation_error
from fer_core.labels import LABEL_SETS
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.config.model import ModelConfig
from fer_core.training.config.optimization import (
    DistillationConfig,
    EarlyStoppingConfig,
    LossConfig,
    MonitoredMetric,
    OptimizerConfig,
)
from fer_core.training.precision import PrecisionChoice

TITLE_CHARACTERS_MAX = 120
PRESETS_DIR = Path(__file__).parent / "presets"


class TrainConfig(StrictModel):
    """Everything that decides a run beside the data itself.

    `corrections` is the version of the dataset's corrections that is used; the newest when the run begins by default.
    `targets`: "votes" trains on the share of votes (single votes zeroed) where there are votes, "label" on the
    label alone. `exclude_ambiguous` learns nothing from images that are marked as ambiguous. `rebalancing` is what is
    done about imbalance. `ema_decay` 0 switches weight averaging off. `monitor` decides which epoch is kept. `flip_tta`
    has the trained network answer for each face and its mirror image and take the mean, at twice the time.

    `affect_weight` gives the network a second head for valence and arousal and says how much its loss counts beside
    that of the expressions; 0 is off. `precision` "auto" is settled by the hardware when the run begins: bf16 where it
    multiplies such numbers itself, else fp32; fp16 is for GPUs alone. `init_from` is where training goes on from: a
    run of the same network by its id, or a file of such weights: a plain state dict as `torch.save` writes it, which
    is how study A's are published, or safetensors.
    """

    dataset: str
    labels: str = "eight"
    model: ModelConfig = ModelConfig()
    corrections: int | None = Field(None, ge=0)
    split: SplitConfig = SplitConfig()
    targets: Literal["votes", "label"] = "votes"
    exclude_ambiguous: bool = False
    epochs: int = Field(20, ge=1, le=10_000)
    batch_size: int = Field(64, ge=2, le=65_536)
    optimizer: OptimizerConfig = OptimizerConfig()
    augment: AugmentConfig = AugmentConfig()
    rebalancing: Rebalancing = Rebalancing()
    loss: LossConfig = LossConfig()
    distillation: DistillationConfig = DistillationConfig()
    affect_weight: float = Field(0.0, ge=0, le=100)
    ema_decay: float = Field(0.0, ge=0, lt=1)
    precision: PrecisionChoice = "auto"
    init_from: str = Field("", max_length=4_096)
    monitor: MonitoredMetric = "macro_f1"
    flip_tta: bool = False
    early_stopping: EarlyStoppingConfig = EarlyStoppingConfig()
    seed: int = Field(0, ge=0, lt=2**63)
    title: str = Field("", max_length=TITLE_CHARACTERS_MAX)

    @field_validator("monitor", "early_stopping")
    @classmethod
    def _check_metric_label(cls, value: str | EarlyStoppingConfig, others: ValidationInfo) -> str | EarlyStoppingConfig:
        labels = LABEL_SETS.get(others.data.get("labels", ""))
        metric = value.metric if isinstance(value, EarlyStoppingConfig) else value
        if labels and metric.startswith("f1_") and metric not in {f"f1_{expression}" for expression in labels}:
            raise ValueError(f"{metric} is of no expression of the labels {labels.name!r}")
        return value


def parse_config(content: object, name: str = "config", changes: Iterable[str] = ()) -> TrainConfig:
    """A config from plain data with `key.sub=value` changes on top.

    Raises:
        ConfigError: an unknown key (the message lists the known ones), or a value out of its range.
    """
    if not isinstance(content, dict):
        raise ConfigError(f"{name} is not a mapping of keys to values.")
    given: dict[str, Any] = rename_config_keys(content)
    for change in changes:
        given = rename_config_keys(_apply_change(given, change))
    try:
        config = TrainConfig.model_validate(given)
    except ValidationError as exc:
        raise ConfigError(format_validation_error(exc, name, TrainConfig)) from exc
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


def flatten(content: TrainConfig | Mapping[str, Any]) -> dict[str, Any]:
    """A config, or other nested settings, as plain values by path, such as `optimizer.momentum`."""
    if isinstance(content, TrainConfig):
        content = content.model_dump(mode="json")
    found: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            found |= {f"{key}.{path}": inner for path, inner in flatten(value).items()}
        else:
            found[str(key)] = value
    return found


def presets() -> dict[str, Path]:
    """Paths of the presets that come with FERscope, by name."""
    return {path.stem: path for path in sorted(PRESETS_DIR.glob("*.yaml"))}


def _apply_change(content: dict[str, Any], change: str) -> dict[str, Any]:
    """A copy of `content` with one `key.sub=value` applied; the value is read as YAML."""
    key, equals, value = change.partition("=")
    key = rename_config_path(key)
    if not equals or not key:
        raise ConfigError(f"--set {change!r} is not key=value, such as --set epochs=5 or --set augment.flip_prob=0.5.")
    head, _, rest = key.partition(".")
    inner = content.get(head)
    if not rest:
        try:
            return {**content, head: yaml.safe_load(value)}
        except yaml.YAMLError as exc:
            raise ConfigError(f"--set {change!r}: {value!r} is not YAML. Put text in quotes.") from exc
    if inner is not None and not isinstance(inner, dict):
        raise ConfigError(f"--set {change!r}: {head!r} is a single value and has nothing below it.")
    return {**content, head: _apply_change(inner or {}, f"{rest}={value}")}
