"""DropBlock: dropout of squares, because neighboring features are correlated."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class DropBlock(nn.Module):
    """Zero random squares of each feature map in training and scale up the rest.

    Ghiasi et al. (2018), "DropBlock: A regularization method for convolutional networks": each position where a whole
    square fits is a center with probability γ = (drop_prob / block²) · side² / (side − block + 1)².

    Shape: (N, C, H, W) to the same.
    """

    def __init__(self, drop_prob: float, block_size: int) -> None:
        super().__init__()
        self.drop_prob = drop_prob
        self.block_size = block_size

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Drop squares in training."""
        if not self.training or self.drop_prob == 0:
            return features
        height, width = features.shape[-2:]
        block = min(self.block_size, height, width)
        positions = (height - block + 1) * (width - block + 1)
        gamma = self.drop_prob / block**2 * height * width / positions
        seeds_shape = (*features.shape[:2], height - block + 1, width - block + 1)
        seeds = (torch.rand(seeds_shape, device=features.device) < gamma).to(features.dtype)
        # Padding by block − 1 and pooling with stride 1 turns each seed into a square.
        dropped = F.max_pool2d(F.pad(seeds, [block - 1] * 4), block, 1)
        kept = 1 - dropped
        return features * kept * (kept.numel() / kept.sum().clamp(min=1))

    def extra_repr(self) -> str:
        """Parameters shown in the network's repr."""
        return f"drop_prob={self.drop_prob}, block_size={self.block_size}"
