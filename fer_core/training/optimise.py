"""Optimiser, learning-rate schedule and weight averaging, as the config names them."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

from fer_core.training.config import OptimiserConfig

_RISE_01 = 0.1
_START_01 = 0.04


def make_optimiser(network: nn.Module, config: OptimiserConfig) -> torch.optim.Optimizer:
    """The optimiser. Weight decay is kept off biases and normalisation, which it only harms."""
    decayed = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if config.name == "adam":
        return torch.optim.Adam(groups, lr=config.learning_rate)
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, nesterov=config.momentum > 0)


def rate_factor(config: OptimiserConfig, step: int, steps: int) -> float:
    """The learning rate at `step` of `steps` as a share of the configured one.

    one_cycle after Smith & Topin (2019), "Super-Convergence", with a cosine descent.
    """
    if config.schedule == "constant":
        return 1.0
    done = step / max(steps, 1)
    if done < _RISE_01:
        return _START_01 + (1 - _START_01) * done / _RISE_01
    return 0.5 * (1 + math.cos(math.pi * (done - _RISE_01) / (1 - _RISE_01)))


class AveragedWeights:
    """Exponential moving average of a network's weights (Polyak averaging), with a warm-up.

    The decay at step t is min(decay, (1 + t) / (10 + t)), so that early steps do not linger.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move the average towards the network's present weights; buffers (batch-norm statistics) too."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        for mine, new in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(new, 1 - decay)
            else:
                mine.copy_(new)
