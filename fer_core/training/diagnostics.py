"""Detect overfitting, divergence and the speed bottleneck from a run's epoch table. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

_EPOCHS_MIN = 3
"""Epochs after the lowest validation loss, which fluctuates."""

_RISE_01 = 0.02
_SMOOTHED_EPOCHS = 3
_LOSSES = ("train_loss", "valid_loss")


@dataclass(frozen=True, slots=True)
class Overfitting:
    """The validation loss rises while the training loss falls.

    Attributes:
        since_epoch: the epoch with the lowest validation loss.
        train_loss_then, valid_loss_then: the losses of that epoch.
        train_loss_now, valid_loss_now: those of the last epoch.
        train_accuracy, valid_accuracy: of the last epoch, 0..1; None if unknown.
    """

    since_epoch: int
    train_loss_then: float
    valid_loss_then: float
    train_loss_now: float
    valid_loss_now: float
    train_accuracy: float | None
    valid_accuracy: float | None

    @property
    def text(self) -> str:
        """What happened, what it means, and what to do about it."""
        accuracies = ""
        if self.train_accuracy is not None and self.valid_accuracy is not None:
            train, valid = 100 * self.train_accuracy, 100 * self.valid_accuracy
            accuracies = f" Its accuracy is {train:.1f} % on training images and {valid:.1f} % on validation images."
        return (
            f"Since epoch {self.since_epoch} the validation loss rises, from {self.valid_loss_then:.2f} to "
            f"{self.valid_loss_now:.2f}, while the training loss falls, from {self.train_loss_then:.2f} to "
            f"{self.train_loss_now:.2f}. The network is memorizing the training images.{accuracies} "
            "Stop earlier, augment more, or regularize more (weight decay, dropout)."
        )

    @property
    def summary(self) -> str:
        """The same in one sentence."""
        return (
            f"Overfitting since epoch {self.since_epoch}: the validation loss rises from {self.valid_loss_then:.2f} "
            f"to {self.valid_loss_now:.2f} while the training loss falls to {self.train_loss_now:.2f}."
        )


@dataclass(frozen=True, slots=True)
class Divergence:
    """A loss that is nan or infinite.

    Attributes:
        since_epoch: the first such epoch.
        learning_rate: of the epoch before it, or of that epoch if it is the first; None if unknown.
    """

    since_epoch: int
    learning_rate: float | None

    @property
    def text(self) -> str:
        """What happened, and what to do about it."""
        rate = f"; it was {self.learning_rate:.3g}" if self.learning_rate is not None else ""
        return f"The loss is no longer a number since epoch {self.since_epoch}: lower the learning rate{rate}."


@dataclass(frozen=True, slots=True)
class EpochTime:
    """How an epoch's time was spent, in seconds.

    Attributes:
        data_s: reading and augmenting images.
        step_s: training steps of the network.
        other_s: validation and saving; None if unknown.
    """

    data_s: float
    step_s: float
    other_s: float | None

    @property
    def text(self) -> str:
        """What limits the speed."""
        bound = "Data bound" if self.data_s > self.step_s else "Compute bound"
        percent = 100 * self.data_s / (self.data_s + self.step_s)
        return f"{bound}: {percent:.0f} % of the time was spent on reading and augmenting images, the rest on training."


def detect_overfitting(metrics: pd.DataFrame) -> Overfitting | None:
    """Detect overfitting; None if there is none, or without the losses.

    Three epochs or more after its lowest, the validation loss (mean of three epochs) must be more than 2 % above it,
    while the training loss has continued to fall.

    Args:
        metrics: a row per epoch, see `Run.metrics`.
    """
    if not {"epoch", *_LOSSES} <= set(metrics):
        return None
    finite = np.isfinite(metrics[list(_LOSSES)].to_numpy(float)).all(axis=1)
    known = metrics.loc[finite].sort_values("epoch").reset_index(drop=True)
    if len(known) <= _EPOCHS_MIN:
        return None
    lowest, last = known.iloc[int(known["valid_loss"].argmin())], known.iloc[-1]
    recent = known[list(_LOSSES)].tail(_SMOOTHED_EPOCHS).mean()
    is_late = last["epoch"] - lowest["epoch"] >= _EPOCHS_MIN
    rises = is_late and recent["valid_loss"] > lowest["valid_loss"] * (1 + _RISE_01)
    if not rises or recent["train_loss"] >= lowest["train_loss"]:
        return None
    return Overfitting(
        since_epoch=int(lowest["epoch"]),
        train_loss_then=float(lowest["train_loss"]),
        valid_loss_then=float(lowest["valid_loss"]),
        train_loss_now=float(last["train_loss"]),
        valid_loss_now=float(last["valid_loss"]),
        train_accuracy=_number(last, "train_accuracy"),
        valid_accuracy=_number(last, "valid_accuracy"),
    )


def detect_divergence(metrics: pd.DataFrame) -> Divergence | None:
    """Detect since when a loss has been nan or infinite; None if the losses of the last epoch are finite."""
    columns = [column for column in _LOSSES if column in metrics]
    if metrics.empty or not columns or "epoch" not in metrics:
        return None
    ordered = metrics.sort_values("epoch").reset_index(drop=True)
    finite = np.isfinite(ordered[columns].to_numpy(float)).all(axis=1)
    if finite[-1]:
        return None
    first = int(np.flatnonzero(finite)[-1]) + 1 if finite.any() else 0
    rate = _number(ordered.iloc[max(first - 1, 0)], "learning_rate")
    return Divergence(int(ordered["epoch"].iloc[first]), rate)


def last_epoch_time(metrics: pd.DataFrame) -> EpochTime | None:
    """How the last epoch's time was spent; None if unknown."""
    if metrics.empty or not {"epoch", "data_seconds", "step_seconds"} <= set(metrics):
        return None
    last = metrics.sort_values("epoch").iloc[-1]
    data_s, step_s, total_s = (_number(last, name) for name in ("data_seconds", "step_seconds", "seconds"))
    if data_s is None or step_s is None or not data_s + step_s > 0:
        return None
    return EpochTime(data_s, step_s, None if total_s is None else max(0.0, total_s - data_s - step_s))


def _number(row: pd.Series, name: str) -> float | None:
    value = row.get(name)
    return None if value is None or not np.isfinite(value) else float(value)
