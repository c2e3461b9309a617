"""Optimizer, L1 penalty and weight averaging."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from fer_core.training.config.optimization import OptimizerConfig


def build_optimizer(network: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """Build the optimizer; biases and normalization layers get no weight decay."""
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
    """Trainable parameters without biases and normalization."""
    return [p for p in network.parameters() if p.requires_grad and p.ndim > 1]


def l1_penalty(weights: Iterable[nn.Parameter]) -> torch.Tensor:
    """Sum the absolute weights; Tibshirani (1996), "Regression shrinkage and selection via the lasso"."""
    return torch.stack([weight.abs().sum() for weight in weights]).sum()


def build_ema(network: nn.Module, decay: float) -> AveragedModel:
    """Copy a network into an exponential moving average of its weights and batch-norm statistics, with a warm-up.

    The decay at step t is min(decay, (1 + t) / (10 + t)), so that the initial weights fade quickly.
    """

    @torch.no_grad()
    def update(averages: Sequence[torch.Tensor], values: Sequence[torch.Tensor], step: torch.Tensor | int) -> None:
        weight = 1 - min(decay, (1 + int(step)) / (10 + int(step)))
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value, weight)
            else:
                average.copy_(value)

    ema = AveragedModel(network, multi_avg_fn=update, use_buffers=True)
    ema.module.eval().requires_grad_(False)
    ema.n_averaged.fill_(1)  # at 0 the first update would copy the weights instead of averaging them
    return ema
