"""Config of optimizer, schedule, loss, early stopping and distillation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from fer_core.files.strict_model import StrictModel
from fer_core.metrics import METRIC_TITLES

MONITORED_METRICS = tuple(METRIC_TITLES)
"""Metrics for model selection, on the validation split; lower is better for the loss."""


def _check_metric(name: str) -> str:
    if name not in MONITORED_METRICS:
        raise ValueError(f"choose a metric: {', '.join(MONITORED_METRICS)}")
    return name


MonitoredMetric = Annotated[str, AfterValidator(_check_metric)]


class OptimizerConfig(StrictModel):
    """Optimizer and learning-rate schedule.

    `momentum` and `nesterov` apply to sgd. `weight_decay` is L2 (decoupled in adamw) and `l1` the weight of an L1
    penalty; neither applies to biases and normalization layers.

    `schedule`: one_cycle rises over the first tenth and falls along a cosine to zero; cosine is the descent alone;
    plateau multiplies the rate by `plateau_factor` when the validation loss has not fallen for `plateau_patience`
    epochs. `warmup_epochs` is a linear warm-up before the schedule, not for one_cycle, which has its own.

    `clip_norm` limits the norm of the gradient (0 is off). A step accumulates the gradients of `accumulation_steps`
    batches.
    """

    name: Literal["sgd", "adam", "adamw"] = "sgd"
    learning_rate: float = Field(0.1, gt=0, le=10)
    momentum: float = Field(0.9, ge=0, lt=1)
    nesterov: bool = True
    weight_decay: float = Field(5e-4, ge=0, le=1)
    l1: float = Field(0.0, ge=0, le=1)
    schedule: Literal["constant", "cosine", "one_cycle", "plateau"] = "one_cycle"
    warmup_epochs: float = Field(0.0, ge=0, le=1_000)
    plateau_patience: int = Field(3, ge=1, le=1_000)
    plateau_factor: float = Field(0.1, gt=0, lt=1)
    clip_norm: float = Field(0.0, ge=0, le=1e6)
    accumulation_steps: int = Field(1, ge=1, le=4_096)

    @field_validator("warmup_epochs")
    @classmethod
    def _check_warmup(cls, epochs: float, others: ValidationInfo) -> float:
        if epochs and others.data.get("schedule") == "one_cycle":
            raise ValueError("one_cycle has its own warm-up; set this to 0, or use the cosine schedule")
        return epochs


class LossConfig(StrictModel):
    """Loss: cross-entropy, or focal loss, which down-weights well-classified images by `gamma`.

    `label_smoothing` is the share of each target that is spread evenly over all classes.
    """

    name: Literal["cross_entropy", "focal"] = "cross_entropy"
    gamma: float = Field(2.0, ge=0, le=10)
    label_smoothing: float = Field(0.0, ge=0, lt=1)


class EarlyStoppingConfig(StrictModel):
    """Stop when `metric` has not improved by more than `min_delta` for `patience` epochs; 0 is off."""

    metric: MonitoredMetric = "macro_f1"
    patience: int = Field(0, ge=0, le=10_000)
    min_delta: float = Field(0.0, ge=0, le=1)


class DistillationConfig(StrictModel):
    """Knowledge distillation from finished runs.

    `teachers` are ids of runs with the same preprocessing that were not trained on this run's validation or test
    images. Their mean prediction has the weight `share_01` in each target.
    """

    teachers: tuple[str, ...] = Field((), max_length=16)
    share_01: float = Field(0.5, gt=0, le=1)

    @field_validator("teachers")
    @classmethod
    def _check_unique(cls, teachers: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(teachers)) != len(teachers):
            raise ValueError("a run is listed twice")
        return teachers
