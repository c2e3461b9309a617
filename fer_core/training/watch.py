"""What the curves of a training say, in words. Needs no torch."""

from __future__ import annotations

import pandas as pd

_EPOCHS_MIN = 3
"""Epochs after the lowest validation loss: it goes up and down by itself."""

_RISE_01 = 0.02
_SMOOTHED_EPOCHS = 3


def overfitting(metrics: pd.DataFrame) -> str:
    """Name the gap between training and validation once it opens; "" where it does not.

    It has opened where the validation loss, in the mean over three epochs, lies above its lowest by more than 2 %
    three epochs later or more, while the training loss has gone on falling. It is said to rise since the epoch of
    its lowest.

    Args:
        metrics: a row an epoch, as a run writes them; without `train_loss` and `valid_loss` nothing is said.
    """
    if not {"epoch", "train_loss", "valid_loss"} <= set(metrics):
        return ""
    known = metrics.dropna(subset=["train_loss", "valid_loss"]).sort_values("epoch").reset_index(drop=True)
    if len(known) <= _EPOCHS_MIN:
        return ""
    lowest, last = known.iloc[int(known["valid_loss"].argmin())], known.iloc[-1]
    late = float(known["valid_loss"].tail(_SMOOTHED_EPOCHS).mean())
    train_late = float(known["train_loss"].tail(_SMOOTHED_EPOCHS).mean())
    waited = int(last["epoch"] - lowest["epoch"])
    rises = waited >= _EPOCHS_MIN and late > float(lowest["valid_loss"]) * (1 + _RISE_01)
    if not rises or train_late >= float(lowest["train_loss"]):
        return ""
    return (
        f"Since epoch {int(lowest['epoch'])} the validation loss rises while the training loss falls: from "
        f"{lowest['valid_loss']:.2f} to {last['valid_loss']:.2f} against {lowest['train_loss']:.2f} to "
        f"{last['train_loss']:.2f}. The network learns its training images by heart.{_accuracies(last)} "
        "Stop earlier, augment more, or regularise more (weight decay, dropout)."
    )


def bound_by(metrics: pd.DataFrame) -> str:
    """What the last epoch's time went to: waiting for data, or computing; "" where it is not known."""
    if metrics.empty or not {"data_seconds", "step_seconds"} <= set(metrics):
        return ""
    last = metrics.sort_values("epoch").iloc[-1]
    data_s, step_s = float(last["data_seconds"]), float(last["step_seconds"])
    total_s = data_s + step_s
    if not total_s > 0:
        return ""
    what = "Data bound" if data_s > step_s else "Compute bound"
    return f"{what}: {data_s / total_s:.0%} of the time went to reading and changing images, the rest to the network."


def _accuracies(last: pd.Series) -> str:
    train, valid = last.get("train_accuracy"), last.get("valid_accuracy")
    if train is None or valid is None or pd.isna(train) or pd.isna(valid):
        return ""
    return f" It reads {train:.0%} of those as labelled, and {valid:.0%} of others."
