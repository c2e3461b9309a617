"""Flip test-time augmentation: average the outputs for a face and its mirror image.

Simonyan and Zisserman (2014), "Very Deep Convolutional Networks for Large-Scale Image Recognition", section 3.2.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def add_flip_tta(network: nn.Module) -> None:
    """Make a network average its outputs for each image and its mirror image in evaluation mode.

    Both are in one batch of twice the size. The weights and their names do not change; an export includes the flip.
    """
    network.register_forward_pre_hook(_append_flipped)
    network.register_forward_hook(_mean_of_both)


def _append_flipped(network: nn.Module, inputs: tuple[torch.Tensor]) -> torch.Tensor | None:
    return None if network.training else torch.cat([inputs[0], inputs[0].flip(-1)])


def _mean_of_both(network: nn.Module, inputs: tuple[torch.Tensor], outputs: Any) -> Any:
    del inputs
    if network.training:
        return None
    return tuple(map(_mean, outputs)) if isinstance(outputs, tuple) else _mean(outputs)


def _mean(output: torch.Tensor) -> torch.Tensor:
    return output.reshape(2, -1, *output.shape[1:]).mean(0)
