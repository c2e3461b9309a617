"""A trained network that answers for a face and for its mirror image, and takes the mean: test-time augmentation.

After Simonyan and Zisserman (2014), "Very Deep Convolutional Networks for Large-Scale Image Recognition", section 3.2.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def average_mirrored(network: nn.Module) -> None:
    """Have a network, outside training, answer with the mean of what it says of each image and its mirror image.

    It costs a second pass. The weights and their names stay as they are, and an export has both passes.
    """
    network.register_forward_hook(_mean_with_mirrored)


def _mean_with_mirrored(network: nn.Module, inputs: tuple[torch.Tensor], outputs: Any) -> Any:
    """The mean of each output and what the network itself, without this hook, says of the mirror images."""
    if network.training:
        return None
    mirrored = network.forward(inputs[0].flip(-1))
    if isinstance(outputs, tuple):
        return tuple((ours + theirs) / 2 for ours, theirs in zip(outputs, mirrored, strict=True))
    return (outputs + mirrored) / 2
