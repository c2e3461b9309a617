"""Valence and arousal beside the expressions: their loss, and how well they are read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fer_core.errors import InputError

AFFECT = ("valence", "arousal")
_SPREAD_MIN = 1e-8


def affect_targets(index: pd.DataFrame) -> NDArray[np.float32]:
    """Valence and arousal of every row; float32, shape (N, 2), nan where either is missing or outside -1..1.

    Raises:
        InputError: no row of the index has them.
    """
    missing = [column for column in AFFECT if column not in index]
    values = np.full((len(index), 2), np.nan, np.float32) if missing else index[list(AFFECT)].to_numpy(np.float32)
    values = np.where((np.abs(values) <= 1).all(1, keepdims=True), values, np.float32(np.nan))
    if np.isnan(values).all():
        raise InputError("The dataset has no valence and arousal to learn from. Set affect_weight to 0.")
    return values


def concordance(predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """The concordance correlation coefficient of each column, -1..1; 1 where the two are the same.

    Lin (1989), "A Concordance Correlation Coefficient to Evaluate Reproducibility", eq. for ρ_c: twice the
    covariance over both variances and the squared distance of the means.

    Shape: (N, 2) and (N, 2) to (2,).
    """
    mine, theirs = predicted - predicted.mean(0), truth - truth.mean(0)
    spread = (mine**2).mean(0) + (theirs**2).mean(0) + (predicted.mean(0) - truth.mean(0)) ** 2
    return 2 * (mine * theirs).mean(0) / spread.clamp(min=_SPREAD_MIN)


def affect_loss(predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """1 less the mean concordance of a batch; rows without values don't count, and fewer than two give 0.

    Args:
        predicted, truth: float32, shape (N, 2); nan in `truth` where there is no value.
    """
    known = ~truth.isnan().any(1)
    if int(known.sum()) < 2:
        return predicted.sum() * 0
    return 1 - concordance(predicted[known].float(), truth[known]).mean()


def affect_scores(predicted: NDArray[np.float32], truth: NDArray[np.float32]) -> dict[str, float | None]:
    """The concordance on the validation part, by name; None for fewer than two images with values."""
    known = ~np.isnan(truth).any(1)
    if known.sum() < 2:
        return dict.fromkeys((f"valid_ccc_{name}" for name in AFFECT), None)
    each = concordance(torch.from_numpy(predicted[known]), torch.from_numpy(truth[known])).tolist()
    return {f"valid_ccc_{name}": value for name, value in zip(AFFECT, each, strict=True)}
