"""Count the multiply-adds of a network."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def multiply_adds(network: nn.Module, channels: int, size_px: int) -> int:
    """Count the multiply-adds of convolutions and matrix products for one image; works on the meta device.

    Args:
        channels, size_px: of the input.
    """
    modes = {module: module.training for module in network.modules()}
    first = next(network.parameters())
    image = torch.zeros(1, channels, size_px, size_px, device=first.device, dtype=first.dtype)
    try:
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            network.eval()(image)
    finally:
        for module, training in modes.items():
            module.training = training
    return int(counter.get_total_flops()) // 2  # a multiplication and an addition are two operations
