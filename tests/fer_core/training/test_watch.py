from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from fer_core.training.watch import bound_by, overfitting

EPOCHS = np.arange(1, 51)


def _curves(train: np.ndarray, valid: np.ndarray, **others: object) -> pd.DataFrame:
    return pd.DataFrame({"epoch": np.arange(1, len(train) + 1), "train_loss": train, "valid_loss": valid, **others})


def _study_a() -> pd.DataFrame:
    """Its shape: 75 % on training images, 70 % on others, and a validation loss that rises from epoch 6."""
    noise = np.random.default_rng(0).normal(0, 0.004, 50)
    train = 0.68 + 0.55 * np.exp(-EPOCHS / 8)
    valid = np.where(EPOCHS <= 6, 0.86 + 0.3 * np.exp(-(EPOCHS - 1) / 2), 0.885 + 0.006 * (EPOCHS - 6)) + noise
    return _curves(train, valid, train_accuracy=0.75, valid_accuracy=0.70)


def test_the_gap_of_study_a_is_named_with_its_epoch_and_figures() -> None:
    said = overfitting(_study_a())
    assert said.startswith("Since epoch 6 the validation loss rises while the training loss falls: from 0.8")
    assert "75% of those" in said and "70% of others" in said
    assert said.endswith(".")


def test_it_is_named_as_soon_as_it_opens_and_not_before() -> None:
    curves = _study_a()
    first = next(n for n in range(1, 51) if overfitting(curves.head(n)))
    assert 9 <= first <= 14


@pytest.mark.parametrize(
    "valid",
    [
        1 / np.sqrt(EPOCHS),
        1 / np.sqrt(EPOCHS) + np.random.default_rng(1).normal(0, 0.005, 50),
        np.maximum(1.1 - EPOCHS / 20, 0.6),
        np.where(EPOCHS == 50, 2.0, 1.5 - EPOCHS / 60),
        np.r_[1.0, np.full(49, 1.005)],
    ],
    ids=["falls", "falls with noise", "stays", "jumps once", "hardly rises"],
)
def test_without_a_gap_nothing_is_said(valid: np.ndarray) -> None:
    assert overfitting(_curves(1.4 * np.exp(-EPOCHS / 20), valid)) == ""


def test_when_both_losses_rise_it_is_no_over_fitting() -> None:
    assert overfitting(_curves(0.5 + EPOCHS / 50, 0.6 + EPOCHS / 50)) == ""


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_a_few_epochs_say_nothing(n: int) -> None:
    assert overfitting(_curves(1 - 0.1 * EPOCHS[:n], 1 + 0.5 * EPOCHS[:n])) == ""


def test_missing_columns_and_values_say_nothing() -> None:
    assert overfitting(pd.DataFrame()) == ""
    assert overfitting(pd.DataFrame({"epoch": [1, 2]})) == ""
    assert overfitting(_study_a().assign(valid_loss=np.nan)) == ""
    assert "by heart. Stop" in overfitting(_study_a().drop(columns=["train_accuracy"]))


def test_what_bounds_the_speed_is_said_of_the_last_epoch() -> None:
    times = pd.DataFrame({"epoch": [2, 1], "data_seconds": [3.0, 0.0], "step_seconds": [1.0, 9.0]})
    assert bound_by(times).startswith("Data bound: 75%")
    assert bound_by(times[times["epoch"] == 1]).startswith("Compute bound: 0%")
    assert bound_by(pd.DataFrame()) == bound_by(pd.DataFrame({"epoch": [1]})) == ""


def test_it_needs_no_torch() -> None:
    code = "import sys, fer_core.training.watch; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
