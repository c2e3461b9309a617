"""Drop-block: dropout for convolutions, which drops squares because neighbors carry the same information."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class DropBlock(nn.Module):
    """In training, zero squares of each feature map and scale the rest up; afterwards, do nothing.

    Ghiasi et al. (2018), "DropBlock: A regularization method for convolutional networks": each place where a whole
    square fits is a square's center with probability γ = (share / block²) · side² / (side − block + 1)².

    Shape: (N, C, H, W) to the same.
    """

    def __init__(self, drop_prob: float, block_size: int) -> None:
        super().__init__()
        self.drop_prob = drop_prob
        self.block_size = block_size

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The features, with squares missing in training."""
        if not self.training or self.drop_prob == 0:
            return features
        height, width = features.shape[-2:]
        block = min(self.block_size, height, width)
        places = (height - block + 1) * (width - block + 1)
        gamma = self.drop_prob / block**2 * height * width / places
        seeds_shape = (*features.shape[:2], height - block + 1, width - block + 1)
        seeds = (torch.rand(seeds_shape, device=features.device) < gamma).to(features.dtype)
        # padded by block − 1 and pooled with stride 1, each seed grows into the square of which it is one corner
        dropped = F.max_pool2d(F.pad(seeds, [block - 1] * 4), block, 1)
        kept = 1 - dropped
        return features * kept * (kept.numel() / kept.sum().clamp(min=1))

    def extra_repr(self) -> str:
        """The figures that a printed network shows."""
        return f"drop_prob={self.drop_prob}, block_size={self.block_size}"
