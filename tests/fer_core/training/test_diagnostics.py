from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from fer_core.training.diagnostics import detect_divergence, detect_overfitting, last_epoch_time

EPOCHS = np.arange(1, 51)


def _curves(train: np.ndarray, valid: np.ndarray, **others: object) -> pd.DataFrame:
    return pd.DataFrame({"epoch": np.arange(1, len(train) + 1), "train_loss": train, "valid_loss": valid, **others})


def _study_a() -> pd.DataFrame:
    """Curves like study A's: accuracies of 75 and 70 %, and a validation loss that rises from epoch 6."""
    noise = np.random.default_rng(0).normal(0, 0.004, 50)
    train = 0.68 + 0.55 * np.exp(-EPOCHS / 8)
    valid = np.where(EPOCHS <= 6, 0.86 + 0.3 * np.exp(-(EPOCHS - 1) / 2), 0.885 + 0.006 * (EPOCHS - 6)) + noise
    return _curves(train, valid, train_accuracy=0.75, valid_accuracy=0.70)


def test_overfitting_of_study_a_is_described_with_epoch_and_losses() -> None:
    overfitting = detect_overfitting(_study_a())
    assert overfitting and overfitting.since_epoch == 6
    text = overfitting.text
    assert text.startswith("Since epoch 6 the validation loss rises, from 0.8")
    assert "75.0 % on training images" in text and "70.0 % on validation images" in text
    assert text.endswith(".")
    assert overfitting.summary.startswith(
        f"Overfitting since epoch 6: the validation loss rises from {overfitting.valid_loss_then:.2f}"
    )
    assert (
        overfitting.valid_loss_now > overfitting.valid_loss_then
        and overfitting.train_loss_now < overfitting.train_loss_then
    )


def test_overfitting_is_detected_within_a_few_epochs() -> None:
    curves = _study_a()
    first = next(n for n in range(1, 51) if detect_overfitting(curves.head(n)) is not None)
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
def test_healthy_curves_show_no_overfitting(valid: np.ndarray) -> None:
    assert detect_overfitting(_curves(1.4 * np.exp(-EPOCHS / 20), valid)) is None


def test_rising_training_loss_is_no_overfitting() -> None:
    assert detect_overfitting(_curves(0.5 + EPOCHS / 50, 0.6 + EPOCHS / 50)) is None


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_a_few_epochs_are_not_enough(n: int) -> None:
    assert detect_overfitting(_curves(1 - 0.1 * EPOCHS[:n], 1 + 0.5 * EPOCHS[:n])) is None


def test_missing_columns_and_values_are_no_overfitting() -> None:
    assert detect_overfitting(pd.DataFrame()) is None
    assert detect_overfitting(pd.DataFrame({"epoch": [1, 2]})) is None
    assert detect_overfitting(_study_a().assign(valid_loss=np.nan)) is None
    result = detect_overfitting(_study_a().drop(columns=["train_accuracy"]))
    assert result and "memorizing the training images. Stop" in result.text


@pytest.mark.parametrize("loss", [None, np.nan, np.inf])
def test_divergence_is_described_with_its_first_epoch(loss: float | None) -> None:
    rates = [0.3, 0.2, 0.1]
    losses = pd.DataFrame({"epoch": [1, 2, 3], "train_loss": [1.0, loss, loss], "learning_rate": rates})
    for curves in (losses, losses.iloc[::-1], losses.assign(valid_loss=1.0)):
        divergence = detect_divergence(curves)
        assert divergence and (divergence.since_epoch, divergence.learning_rate) == (2, 0.3)
        assert divergence.text.startswith("The loss is no longer a number since epoch 2: lower the learning rate")
    first = detect_divergence(losses.assign(train_loss=1.0, valid_loss=np.nan))
    assert first and (first.since_epoch, first.learning_rate) == (1, 0.3)


def test_recovered_or_missing_losses_have_not_diverged() -> None:
    curves = _curves(np.array([1.0, np.nan, 0.5]), np.ones(3))
    assert detect_divergence(curves) is None
    assert detect_divergence(curves[["epoch"]]) is detect_divergence(pd.DataFrame()) is None


def test_overfitting_is_detected_beside_non_finite_losses() -> None:
    curves = _study_a()
    curves.loc[20, "valid_loss"] = np.inf
    overfitting = detect_overfitting(curves)
    assert overfitting and np.isfinite(overfitting.valid_loss_now)


def test_the_bottleneck_of_the_last_epoch_is_described() -> None:
    times = pd.DataFrame({"epoch": [2, 1], "data_seconds": [3.0, 0.0], "step_seconds": [1.0, 9.0]})
    last, first = last_epoch_time(times), last_epoch_time(times[times["epoch"] == 1])
    assert last and last.text.startswith("Data bound: 75 %")
    assert first and first.text.startswith("Compute bound: 0 %")
    detailed = last_epoch_time(times.assign(seconds=[4.5, 9.0]))
    assert detailed and (detailed.data_s, detailed.step_s, detailed.other_s) == (3.0, 1.0, 0.5)
    assert last.other_s is None
    assert last_epoch_time(times.assign(data_seconds=0.0, step_seconds=0.0)) is None
    assert last_epoch_time(pd.DataFrame()) is None
    assert last_epoch_time(pd.DataFrame({"epoch": [1]})) is None


def test_diagnostics_need_no_torch() -> None:
    code = "import sys, fer_core.training.diagnostics; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
