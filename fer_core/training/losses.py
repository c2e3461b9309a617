"""Cross-entropy or focal loss with soft targets, class weights and logit adjustment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from fer_core.data.imbalance.rebalancing import Rebalancing, class_weights
from fer_core.logit_adjustment import logit_offsets
from fer_core.training.config.optimization import LossConfig

_GAP_MIN = 1e-7
"""Keeps the gradient finite: a power below 1 of 0 has none."""


@dataclass(frozen=True, slots=True)
class TrainingLoss:
    """Cross-entropy or focal loss with soft targets, averaged over a batch.

    Attributes:
        weights: float32, shape (classes,): class weights, or None.
        offsets: float32, shape (classes,): added to the logits before the softmax, in training only (logit
            adjustment); None for none.
        smoothing: label smoothing, 0..1.
        gamma: focusing parameter of the focal loss; 0 is cross-entropy.
    """

    weights: torch.Tensor | None = None
    offsets: torch.Tensor | None = None
    smoothing: float = 0.0
    gamma: float = 0.0

    @classmethod
    def from_config(
        cls,
        rebalancing: Rebalancing,
        targets: NDArray[np.float32],
        device: torch.device,
        loss: LossConfig = LossConfig(),  # noqa: B008  (frozen)
        *,
        weighted: bool = True,
    ) -> Self:
        """Build the loss; class sizes are the column sums of the training targets, float32, shape (N, classes).

        `weighted` False leaves class weights out, as in the epochs before deferred reweighting starts.
        """
        sizes = targets.sum(0)
        used = weighted and rebalancing.weights != "none"
        weights = class_weights(sizes, rebalancing.weights, rebalancing.beta) if used else None
        offsets = logit_offsets(sizes, rebalancing.logit_tau) if rebalancing.logit_tau else None
        tensors = [None if a is None else torch.from_numpy(a).to(device) for a in (weights, offsets)]
        return cls(tensors[0], tensors[1], loss.label_smoothing, loss.gamma if loss.name == "focal" else 0.0)

    def __call__(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Compute the loss of logits and targets of shape (batch, classes)."""
        adjusted = outputs if self.offsets is None else outputs + self.offsets
        if not self.gamma:
            return F.cross_entropy(adjusted, targets, weight=self.weights, label_smoothing=self.smoothing)
        return _focal(adjusted, self._smoothed(targets), self.weights, self.gamma)

    def _smoothed(self, targets: torch.Tensor) -> torch.Tensor:
        return targets * (1 - self.smoothing) + self.smoothing / targets.shape[1]


def _focal(outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None, gamma: float) -> torch.Tensor:
    """Lin et al. (2017), "Focal Loss for Dense Object Detection", eq. 4, for soft targets.

    Each class is weighted by |t - p| ** gamma, with its target t and probability p (Li et al., 2020, "Generalized Focal
    Loss", eq. 5); for a one-hot target, by (1 - p) ** gamma.
    """
    logs = outputs.log_softmax(1)
    gap = (targets - logs.exp()).abs().clamp(min=_GAP_MIN)
    terms = gap**gamma * targets * logs
    return -(terms if weights is None else terms * weights).sum(1).mean()
