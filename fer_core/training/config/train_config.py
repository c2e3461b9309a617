"""Training config, read from YAML; frozen, unknown keys are errors."""

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
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The C versions are ten times as fast, but not always available."""

PRESETS_DIR = Path(__file__).parent / "presets"


class TrainConfig(StrictModel):
    """Everything that determines a run, except for the data itself.

    Attributes:
        extra_datasets: other datasets whose labeled images are trained on, too; never validated or tested on.
        corrections: version of the dataset's corrections; by default the newest when the run starts.
        split_from: a run on the same dataset whose split is kept instead of making one as in `split`.
        targets: "votes" trains on the shares of votes if there are any (single votes are ignored), "label" on labels.
        exclude_ambiguous: do not train on images marked as ambiguous.
        affect_weight: weight of the loss of a second head for valence and arousal; 0 for no such head.
        ema_decay: decay of the moving average of the weights; 0 is off.
        precision: "auto" is bf16 if the hardware has it, otherwise fp32; fp16 needs a GPU.
        init_from: initial weights: a run of the same network, or a file (safetensors or a state dict of `torch.save`).
        monitor: the metric that selects the best epoch.
        flip_tta: average the predictions for each face and its mirror image, at twice the time.
    """

    dataset: str
    extra_datasets: tuple[str, ...] = Field((), max_length=8)
    labels: str = "eight"
    model: ModelConfig = ModelConfig()
    corrections: int | None = Field(None, ge=0)
    split: SplitConfig = SplitConfig()
    split_from: str = Field("", max_length=200)
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
            raise ValueError(f"{metric} is not a metric of the labels {labels.name!r}")
        return value


def parse_config(content: object, name: str = "config", changes: Iterable[str] = ()) -> TrainConfig:
    """Validate a config and apply `key.sub=value` changes.

    Raises:
        ConfigError: an unknown key (the message lists the known ones), or a value out of range.
    """
    if not isinstance(content, dict):
        raise ConfigError(f"{name} is not a mapping of keys to values.")
    values: dict[str, Any] = rename_config_keys(content)
    for change in changes:
        values = rename_config_keys(_apply_change(values, change))
    try:
        config = TrainConfig.model_validate(values)
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
    """Read a YAML file.

    Raises:
        ConfigError: it is missing or not YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except OSError as exc:
        raise ConfigError(f"{path} can't be read: {exc.strerror}.") from exc
    except (UnicodeDecodeError, yaml.YAMLError) as exc:
        raise ConfigError(f"{path.name} is not YAML: {exc}") from exc


def dump_config(config: TrainConfig) -> str:
    """Convert a config to YAML."""
    return str(yaml.dump(config.model_dump(mode="json"), Dumper=_DUMPER, sort_keys=False))


def flatten(content: TrainConfig | Mapping[str, Any]) -> dict[str, Any]:
    """Flatten a config or nested settings: values by path, such as `optimizer.momentum`."""
    if isinstance(content, TrainConfig):
        content = content.model_dump(mode="json")
    values: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            values |= {f"{key}.{path}": inner for path, inner in flatten(value).items()}
        else:
            values[str(key)] = value
    return values


def preset_paths() -> dict[str, Path]:
    """Paths of the built-in presets, by name."""
    return {path.stem: path for path in sorted(PRESETS_DIR.glob("*.yaml"))}


def _apply_change(content: dict[str, Any], change: str) -> dict[str, Any]:
    """Copy `content` with one `key.sub=value` applied; the value is parsed as YAML."""
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
        raise ConfigError(f"--set {change!r}: {head!r} is a single value without keys.")
    return {**content, head: _apply_change(inner or {}, f"{rest}={value}")}
