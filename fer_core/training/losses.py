"""The loss of a batch: cross-entropy with soft targets, weighted and logit-adjusted as the remedy says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from fer_core.data.rebalance import Remedy, class_weights, logit_offsets


@dataclass(frozen=True, slots=True)
class TrainingLoss:
    """Cross-entropy with soft targets, in the mean over a batch.

    Attributes:
        weights: float32, shape (classes,): what each class's part of a target counts; None for all alike.
        offsets: float32, shape (classes,): added to the outputs before the softmax; None for none. Judging and
            prediction leave them out, and that is the correction.
    """

    weights: torch.Tensor | None = None
    offsets: torch.Tensor | None = None

    @classmethod
    def of(cls, remedy: Remedy, targets: NDArray[np.float32], device: torch.device) -> Self:
        """The loss for training targets; float32, shape (N, classes). Class sizes are the sums of their rows."""
        sizes = targets.sum(0)
        weights = class_weights(sizes, remedy.weights, remedy.beta) if remedy.weights != "none" else None
        offsets = logit_offsets(sizes, remedy.logit_tau) if remedy.logit_tau else None
        return cls(*(None if a is None else torch.from_numpy(a).to(device) for a in (weights, offsets)))

    def __call__(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """One number, for outputs and targets of shape (batch, classes)."""
        adjusted = outputs if self.offsets is None else outputs + self.offsets
        return F.cross_entropy(adjusted, targets, weight=self.weights)
