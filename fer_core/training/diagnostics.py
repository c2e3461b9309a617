"""What the curves of a training say, in words. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

_EPOCHS_MIN = 3
"""Epochs after the lowest validation loss: it goes up and down by itself."""

_RISE_01 = 0.02
_SMOOTHED_EPOCHS = 3
_LOSSES = ("train_loss", "valid_loss")


@dataclass(frozen=True, slots=True)
class Overfitting:
    """Over-fitting: how training and validation have come apart.

    Attributes:
        since_epoch: that of the lowest validation loss.
        train_from, valid_from: the losses of that epoch.
        train_to, valid_to: those of the last epoch.
        train_accuracy, valid_accuracy: of the last epoch, 0..1; None where they are not known.
    """

    since_epoch: int
    train_from: float
    valid_from: float
    train_to: float
    valid_to: float
    train_accuracy: float | None
    valid_accuracy: float | None

    @property
    def words(self) -> str:
        """What has happened, what it means, and what to do about it."""
        return (
            f"Since epoch {self.since_epoch} the validation loss rises while the training loss falls: from "
            f"{self.valid_from:.2f} to {self.valid_to:.2f} against {self.train_from:.2f} to {self.train_to:.2f}. "
            f"The network learns its training images by heart.{self._accuracies()} "
            "Stop earlier, augment more, or regularize more (weight decay, dropout)."
        )

    @property
    def short(self) -> str:
        """The same in one sentence."""
        return (
            f"Over-fitting since epoch {self.since_epoch}: the validation loss rises from {self.valid_from:.2f} to "
            f"{self.valid_to:.2f} while the training loss falls to {self.train_to:.2f}."
        )

    def _accuracies(self) -> str:
        if self.train_accuracy is None or self.valid_accuracy is None:
            return ""
        train, valid = 100 * self.train_accuracy, 100 * self.valid_accuracy
        return f" It reads {train:.0f} % of those as labeled, and {valid:.0f} % of others."


@dataclass(frozen=True, slots=True)
class Divergence:
    """A loss that is no number any more.

    Attributes:
        since_epoch: the first without one.
        learning_rate: of the epoch before it, or of that epoch where there is none before; None where it is not known.
    """

    since_epoch: int
    learning_rate: float | None

    @property
    def words(self) -> str:
        """What has happened, and what to do about it."""
        rate = f"; it was {self.learning_rate:.3g}" if self.learning_rate is not None else ""
        return f"The loss is no longer a number since epoch {self.since_epoch}: lower the learning rate{rate}."


@dataclass(frozen=True, slots=True)
class EpochTime:
    """What an epoch's time went to, in seconds.

    Attributes:
        data_s: reading and changing images.
        step_s: the network.
        rest_s: judging the epoch; None where it is not known.
    """

    data_s: float
    step_s: float
    rest_s: float | None

    @property
    def words(self) -> str:
        """What bounds the speed."""
        what = "Data bound" if self.data_s > self.step_s else "Compute bound"
        share_01 = self.data_s / (self.data_s + self.step_s)
        return (
            f"{what}: {100 * share_01:.0f} % of the time went to reading and changing images, the rest to the network."
        )


def overfitting(metrics: pd.DataFrame) -> Overfitting | None:
    """The gap between training and validation once it opens; None where it does not.

    It has opened where the validation loss, in the mean over three epochs, lies above its lowest by more than 2 %
    three epochs later or more, while the training loss has gone on falling. It is said to rise since the epoch of
    its lowest.

    Args:
        metrics: a row an epoch, as a run writes them; without `train_loss` and `valid_loss` nothing is said.
    """
    if not {"epoch", *_LOSSES} <= set(metrics):
        return None
    finite = np.isfinite(metrics[list(_LOSSES)].to_numpy(float)).all(axis=1)
    known = metrics.loc[finite].sort_values("epoch").reset_index(drop=True)
    if len(known) <= _EPOCHS_MIN:
        return None
    lowest, last = known.iloc[int(known["valid_loss"].argmin())], known.iloc[-1]
    late = float(known["valid_loss"].tail(_SMOOTHED_EPOCHS).mean())
    train_late = float(known["train_loss"].tail(_SMOOTHED_EPOCHS).mean())
    waited = int(last["epoch"] - lowest["epoch"])
    rises = waited >= _EPOCHS_MIN and late > float(lowest["valid_loss"]) * (1 + _RISE_01)
    if not rises or train_late >= float(lowest["train_loss"]):
        return None
    return Overfitting(
        since_epoch=int(lowest["epoch"]),
        train_from=float(lowest["train_loss"]),
        valid_from=float(lowest["valid_loss"]),
        train_to=float(last["train_loss"]),
        valid_to=float(last["valid_loss"]),
        train_accuracy=_number(last, "train_accuracy"),
        valid_accuracy=_number(last, "valid_accuracy"),
    )


def divergence(metrics: pd.DataFrame) -> Divergence | None:
    """Since when a loss is nan or infinite up to the last epoch; None where the last epoch's losses are numbers.

    Args: that of `overfitting`.
    """
    there = [column for column in _LOSSES if column in metrics]
    if metrics.empty or not there or "epoch" not in metrics:
        return None
    ordered = metrics.sort_values("epoch").reset_index(drop=True)
    finite = np.isfinite(ordered[there].to_numpy(float)).all(axis=1)
    if finite[-1]:
        return None
    first = int(np.flatnonzero(finite)[-1]) + 1 if finite.any() else 0
    rate = _number(ordered.iloc[max(first - 1, 0)], "learning_rate")
    return Divergence(int(ordered["epoch"].iloc[first]), rate)


def epoch_time(metrics: pd.DataFrame) -> EpochTime | None:
    """What the last epoch's time went to; None where it is not known."""
    if metrics.empty or not {"epoch", "data_seconds", "step_seconds"} <= set(metrics):
        return None
    last = metrics.sort_values("epoch").iloc[-1]
    data_s, step_s, whole_s = (_number(last, name) for name in ("data_seconds", "step_seconds", "seconds"))
    if data_s is None or step_s is None or not data_s + step_s > 0:
        return None
    return EpochTime(data_s, step_s, None if whole_s is None else max(0.0, whole_s - data_s - step_s))


def _number(row: pd.Series, name: str) -> float | None:
    value = row.get(name)
    return None if value is None or not np.isfinite(value) else float(value)
