"""How a network learns: what moves the weights, what is minimized, from whom, which epoch is kept, when to stop."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from fer_core.files.strict_model import StrictModel
from fer_core.metrics import METRIC_TITLES

MONITORED_METRICS = tuple(METRIC_TITLES)
"""What an epoch can be judged by, all on the validation part. Of the loss less is better."""


def _check_metric(name: str) -> str:
    if name not in MONITORED_METRICS:
        raise ValueError(f"an epoch is judged by one of: {', '.join(MONITORED_METRICS)}")
    return name


MonitoredMetric = Annotated[str, AfterValidator(_check_metric)]


class OptimizerConfig(StrictModel):
    """How weights are moved.

    `momentum` and `nesterov` are those of sgd. `weight_decay` is L2 (decoupled from the gradient in adamw); `l1`
    adds as much times the sum of the weights' sizes to the loss. Both leave biases and normalization alone.

    `schedule`: one_cycle goes up over the first tenth, then down a cosine to zero; cosine is that descent alone;
    plateau multiplies the rate by `plateau_factor` once the validation loss has not fallen for `plateau_patience`
    epochs. `warmup_epochs` lets the rate rise from nothing before any of them but one_cycle, which has its own rise.

    `clip_norm` shortens longer gradients to this length (0 is off). `accumulate` batches make one step, as if they
    were one large batch to everything but batch norm.
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
    accumulate: int = Field(1, ge=1, le=4_096)

    @field_validator("warmup_epochs")
    @classmethod
    def _check_warmup(cls, epochs: float, others: ValidationInfo) -> float:
        if epochs and others.data.get("schedule") == "one_cycle":
            raise ValueError("one_cycle has a rise of its own; make this 0, or the schedule cosine")
        return epochs


class LossConfig(StrictModel):
    """What is minimized.

    `focal` gives images that are read well already less to say, the less the higher `gamma`. `label_smoothing` is
    the share of each target that is dealt out to all classes alike.
    """

    name: Literal["cross_entropy", "focal"] = "cross_entropy"
    gamma: float = Field(2.0, ge=0, le=10)
    label_smoothing: float = Field(0.0, ge=0, lt=1)


class EarlyStoppingConfig(StrictModel):
    """Stop once `metric` has not become better by more than `min_delta` for `patience` epochs; patience 0 is off."""

    metric: MonitoredMetric = "macro_f1"
    patience: int = Field(0, ge=0, le=10_000)
    min_delta: float = Field(0.0, ge=0, le=1)


class DistillationConfig(StrictModel):
    """Learn from networks that have learned already.

    `teachers` are the ids of finished runs that take faces in the same way and were not trained on any image that
    this run is judged by. What they read in each training image, on average, makes up `share_01` of its target.
    """

    teachers: tuple[str, ...] = Field((), max_length=16)
    share_01: float = Field(0.5, gt=0, le=1)

    @field_validator("teachers")
    @classmethod
    def _check_unique(cls, teachers: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(teachers)) != len(teachers):
            raise ValueError("a run is named twice")
        return teachers
