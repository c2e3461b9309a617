"""A trained network that answers for a face and for its mirror image, and takes the mean: test-time augmentation.

After Simonyan and Zisserman (2014), "Very Deep Convolutional Networks for Large-Scale Image Recognition", section 3.2.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def add_flip_tta(network: nn.Module) -> None:
    """Have a network, outside training, answer with the mean of what it says of each image and its mirror image.

    It reads twice as many images, in one pass. The weights and their names stay as they are, and an export does the
    same.
    """
    network.register_forward_pre_hook(_append_flipped)
    network.register_forward_hook(_mean_of_both)


def _append_flipped(network: nn.Module, inputs: tuple[torch.Tensor]) -> torch.Tensor | None:
    """The images, and behind them their mirror images."""
    return None if network.training else torch.cat([inputs[0], inputs[0].flip(-1)])


def _mean_of_both(network: nn.Module, inputs: tuple[torch.Tensor], outputs: Any) -> Any:
    """The mean of each output for an image and for its mirror image."""
    del inputs
    if network.training:
        return None
    return tuple(map(_mean, outputs)) if isinstance(outputs, tuple) else _mean(outputs)


def _mean(output: torch.Tensor) -> torch.Tensor:
    return output.reshape(2, -1, *output.shape[1:]).mean(0)
