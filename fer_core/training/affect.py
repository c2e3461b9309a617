"""Valence and arousal: targets, loss and metric."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fer_core.errors import InputError

AFFECT = ("valence", "arousal")
_DENOMINATOR_MIN = 1e-8


def affect_targets(index: pd.DataFrame) -> NDArray[np.float32]:
    """Get valence and arousal of every row; float32, shape (N, 2), nan where either is missing or outside -1..1.

    Raises:
        InputError: no row has them.
    """
    missing = [column for column in AFFECT if column not in index]
    values = np.full((len(index), 2), np.nan, np.float32) if missing else index[list(AFFECT)].to_numpy(np.float32)
    values = np.where((np.abs(values) <= 1).all(1, keepdims=True), values, np.float32(np.nan))
    if np.isnan(values).all():
        raise InputError("The dataset has no valence and arousal to learn from. Set affect_weight to 0.")
    return values


def concordance(predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Compute the concordance correlation coefficient of each column, -1..1.

    Lin (1989), "A Concordance Correlation Coefficient to Evaluate Reproducibility": twice the covariance divided by
    the sum of both variances and the squared difference of the means.

    Shape: (N, 2) and (N, 2) to (2,).
    """
    x, y = predicted - predicted.mean(0), truth - truth.mean(0)
    denominator = (x**2).mean(0) + (y**2).mean(0) + (predicted.mean(0) - truth.mean(0)) ** 2
    return 2 * (x * y).mean(0) / denominator.clamp(min=_DENOMINATOR_MIN)


def affect_loss(predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Compute 1 minus the mean concordance of a batch, without rows that have no values; 0 for fewer than two rows.

    Args:
        predicted, truth: float32, shape (N, 2); `truth` is nan where unknown.
    """
    known = ~truth.isnan().any(1)
    if int(known.sum()) < 2:
        return predicted.sum() * 0
    return 1 - concordance(predicted[known].float(), truth[known]).mean()


def affect_scores(predicted: NDArray[np.float32], truth: NDArray[np.float32]) -> dict[str, float | None]:
    """Compute the concordance on the validation split; None for fewer than two images with values."""
    known = ~np.isnan(truth).any(1)
    if known.sum() < 2:
        return dict.fromkeys((f"valid_ccc_{name}" for name in AFFECT), None)
    values = concordance(torch.from_numpy(predicted[known]), torch.from_numpy(truth[known])).tolist()
    return {f"valid_ccc_{name}": value for name, value in zip(AFFECT, values, strict=True)}
