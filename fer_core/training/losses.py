"""The loss of a batch: cross-entropy with soft targets, weighted and logit-adjusted as the remedy says; focal too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from fer_core.data.imbalance.rebalancing import Rebalancing, class_weights, logit_offsets
from fer_core.training.config.learning import LossConfig

_GAP_MIN = 1e-7
"""Where a gap is nothing, a power below 1 has no slope."""


@dataclass(frozen=True, slots=True)
class TrainingLoss:
    """Cross-entropy with soft targets, in the mean over a batch.

    Attributes:
        weights: float32, shape (classes,): what each class's part of a target counts; None for all alike.
        offsets: float32, shape (classes,): added to the outputs before the softmax; None for none. Judging and
            prediction leave them out, and that is the correction.
        smoothing: the share of each target that all classes share alike.
        gamma: how much less a class counts that is given its probability already; 0 is cross-entropy.
    """

    weights: torch.Tensor | None = None
    offsets: torch.Tensor | None = None
    smoothing: float = 0.0
    gamma: float = 0.0

    @classmethod
    def of(
        cls,
        rebalancing: Rebalancing,
        targets: NDArray[np.float32],
        device: torch.device,
        loss: LossConfig = LossConfig(),  # noqa: B008  (frozen)
        *,
        weighted: bool = True,
    ) -> Self:
        """The loss for training targets; float32, shape (N, classes). Class sizes are the sums of their rows.

        `weighted` False leaves the remedy's weights out, as in the epochs before deferred ones begin.
        """
        sizes = targets.sum(0)
        used = weighted and rebalancing.weights != "none"
        weights = class_weights(sizes, rebalancing.weights, rebalancing.beta) if used else None
        offsets = logit_offsets(sizes, rebalancing.logit_tau) if rebalancing.logit_tau else None
        each, added = (None if a is None else torch.from_numpy(a).to(device) for a in (weights, offsets))
        return cls(each, added, loss.label_smoothing, loss.gamma if loss.name == "focal" else 0.0)

    def __call__(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """One number, for outputs and targets of shape (batch, classes)."""
        adjusted = outputs if self.offsets is None else outputs + self.offsets
        if not self.gamma:
            return F.cross_entropy(adjusted, targets, weight=self.weights, label_smoothing=self.smoothing)
        return _focal(adjusted, self._smoothed(targets), self.weights, self.gamma)

    def _smoothed(self, targets: torch.Tensor) -> torch.Tensor:
        return targets * (1 - self.smoothing) + self.smoothing / targets.shape[1]


def _focal(outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None, gamma: float) -> torch.Tensor:
    """Lin et al. (2017), "Focal Loss for Dense Object Detection", eq. 4, for shared targets.

    A class's part counts |t - p| ** gamma, t its share of the target and p its probability (Li et al., 2020,
    "Generalized Focal Loss", eq. 5): (1 - p) ** gamma where the target is one class alone.
    """
    logs = outputs.log_softmax(1)
    gap = (targets - logs.exp()).abs().clamp(min=_GAP_MIN)
    parts = gap**gamma * targets * logs
    return -(parts if weights is None else parts * weights).sum(1).mean()
