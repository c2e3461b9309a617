"""Optimizer, penalty and weight averaging, as the config names them."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch
from torch import nn

from fer_core.training.config.learning import OptimizerConfig


def build_optimizer(network: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """The optimizer. Weight decay is kept off biases and normalization, which it only harms."""
    others = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": weight_matrices(network), "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if config.name == "adam":
        return torch.optim.Adam(groups, lr=config.learning_rate)
    if config.name == "adamw":
        return torch.optim.AdamW(groups, lr=config.learning_rate)
    nesterov = config.nesterov and config.momentum > 0
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, nesterov=nesterov)


def weight_matrices(network: nn.Module) -> list[nn.Parameter]:
    """What is learned but for biases and normalization."""
    return [p for p in network.parameters() if p.requires_grad and p.ndim > 1]


def l1_penalty(weights: Iterable[nn.Parameter]) -> torch.Tensor:
    """The sum of the weights' sizes; Tibshirani (1996), "Regression shrinkage and selection via the lasso"."""
    return torch.stack([weight.abs().sum() for weight in weights]).sum()


class EMA:
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
