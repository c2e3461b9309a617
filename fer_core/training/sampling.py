"""Which images an epoch draws, and in what order."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fer_core.data.imbalance.rebalancing import Sampling, samples_per_epoch


def epoch_size(class_indices: NDArray[np.int64], classes: int, sampling: Sampling) -> int:
    """How many images an epoch draws; see `epoch_indices`."""
    return int(samples_per_epoch(_sizes(class_indices, classes), sampling).sum() + (class_indices < 0).sum())


def epoch_indices(
    rows: NDArray[np.int64],
    class_indices: NDArray[np.int64],
    classes: int,
    sampling: Sampling,
    generator: torch.Generator,
) -> NDArray[np.int64]:
    """The rows that an epoch draws, in random order; as many of each class as `samples_per_epoch` says.

    Classes go by the label alone. A row without a label (soft targets whose votes tied) belongs to no class and is
    drawn once, whatever the sampling.

    Args:
        rows: row numbers to draw from.
        class_indices: their labels as output numbers, -1 for none; shape of `rows`.
        generator: all randomness comes from it; its state decides the epoch.
    """
    if sampling == "natural":
        return _shuffled(rows, generator)
    drawn = [rows[class_indices < 0]]
    for code, wanted in enumerate(samples_per_epoch(_sizes(class_indices, classes), sampling)):
        of_class = rows[class_indices == code]
        rounds, rest = divmod(int(wanted), max(len(of_class), 1))
        drawn += [np.tile(of_class, rounds), _shuffled(of_class, generator)[:rest]]
    return _shuffled(np.concatenate(drawn), generator)


def _sizes(class_indices: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    return np.bincount(class_indices[class_indices >= 0], minlength=classes)


def _shuffled(rows: NDArray[np.int64], generator: torch.Generator) -> NDArray[np.int64]:
    return rows[torch.randperm(len(rows), generator=generator).numpy()]
