"""Which images an epoch draws, and in what order."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fer_core.data.imbalance.rebalancing import Sampling, samples_per_epoch


def epoch_size(codes: NDArray[np.int64], classes: int, sampling: Sampling) -> int:
    """How many images an epoch draws; see `epoch_rows`."""
    return int(samples_per_epoch(_sizes(codes, classes), sampling).sum() + (codes < 0).sum())


def epoch_rows(
    rows: NDArray[np.int64], codes: NDArray[np.int64], classes: int, sampling: Sampling, chance: torch.Generator
) -> NDArray[np.int64]:
    """The rows that an epoch draws, in random order; as many of each class as `samples_per_epoch` says.

    Classes go by the label alone. A row without a label (soft targets whose votes tied) belongs to no class and is
    drawn once, whatever the sampling.

    Args:
        rows: row numbers to draw from.
        codes: their labels as output numbers, -1 for none; shape of `rows`.
        chance: all randomness comes from it; its state decides the epoch.
    """
    if sampling == "natural":
        return _shuffled(rows, chance)
    drawn = [rows[codes < 0]]
    for code, wanted in enumerate(samples_per_epoch(_sizes(codes, classes), sampling)):
        of_class = rows[codes == code]
        rounds, rest = divmod(int(wanted), max(len(of_class), 1))
        drawn += [np.tile(of_class, rounds), _shuffled(of_class, chance)[:rest]]
    return _shuffled(np.concatenate(drawn), chance)


def _sizes(codes: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    return np.bincount(codes[codes >= 0], minlength=classes)


def _shuffled(rows: NDArray[np.int64], chance: torch.Generator) -> NDArray[np.int64]:
    return rows[torch.randperm(len(rows), generator=chance).numpy()]
