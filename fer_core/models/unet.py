"""A classifier with the encoder and decoder of Ronneberger et al. (2015), "U-Net"."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from fer_core.models.registry import register

_DEPTH = 3


class DoubleConvolution(nn.Module):
    """Two 3x3 convolutions, each with batch norm and ReLU. Shape: (N, C_in, H, W) to (N, C_out, H, W)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels_out)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Apply both."""
        inner = F.relu(self.norm1(self.conv1(features)))
        return F.relu(self.norm2(self.conv2(inner)))


@register("unet-classifier", head="head")
class UNetClassifier(nn.Module):
    """Three downsampling stages (double width, half resolution), three upsampling stages with skips, pooling.

    The head uses the means of the finest map, for small details, and of the coarsest, for the whole face.

    Shape: (N, channels, S, S) to (N, classes) logits.
    """

    def __init__(self, channels: int, classes: int, width: int, dropout_01: float) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(_DEPTH + 1)]
        self.down = nn.ModuleList(
            DoubleConvolution(before, after) for before, after in zip([channels, *widths[:-1]], widths, strict=True)
        )
        self.up = nn.ModuleList(
            DoubleConvolution(widths[level + 1] + widths[level], widths[level]) for level in reversed(range(_DEPTH))
        )
        self.dropout = nn.Dropout(dropout_01)
        self.head = nn.Linear(widths[0] + widths[-1], classes)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Compute logits."""
        features = faces
        skips = []
        for level, convolve in enumerate(self.down):
            features = convolve(features if level == 0 else F.max_pool2d(features, 2))
            skips.append(features)
        coarsest = skips.pop()
        for convolve in self.up:
            skip = skips.pop()
            grown = F.interpolate(features, size=skip.shape[-2:], mode="nearest")
            features = convolve(torch.cat((grown, skip), 1))
        pooled = torch.cat((features.mean((2, 3)), coarsest.mean((2, 3))), 1)
        return self.head(self.dropout(pooled))
