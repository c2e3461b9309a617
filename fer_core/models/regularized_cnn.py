"""Study A's CNN with batch norm, DropBlock and dropout, as its authors suggested."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from fer_core.models.drop_block import DropBlock
from fer_core.models.registry import register

_DOWNSAMPLING = 16
_BLOCK_PX = 5


@register("regularized-cnn", head="fc", size_dependent=True)
class RegularizedCnn(nn.Module):
    """Study A's five convolutions, each followed by batch norm; DropBlock after the last two, dropout before `fc`.

    Width 12 has study A's channels.

    Shape: (N, channels, S, S) to (N, classes) logits.
    """

    def __init__(
        self, channels: int, classes: int, size_px: int, width: int, dropout_01: float, drop_block_01: float
    ) -> None:
        super().__init__()
        wide = 2 * width
        self.conv1, self.norm1 = _convolution(channels, width), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = _convolution(width, width), nn.BatchNorm2d(width)
        self.conv3, self.norm3 = _convolution(width, wide), nn.BatchNorm2d(wide)
        self.conv4, self.norm4 = _convolution(wide, wide), nn.BatchNorm2d(wide)
        self.conv5, self.norm5 = _convolution(wide, wide), nn.BatchNorm2d(wide)
        self.drop_block = DropBlock(drop_block_01, _BLOCK_PX)
        self.dropout = nn.Dropout(dropout_01)
        self.fc = nn.Linear((size_px // _DOWNSAMPLING) ** 2 * wide, classes)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Compute logits."""
        features = F.max_pool2d(F.relu(self.norm1(self.conv1(faces))), 2)
        features = F.max_pool2d(F.relu(self.norm2(self.conv2(features))), 2)
        features = F.max_pool2d(F.relu(self.norm3(self.conv3(features))), 2)
        features = F.max_pool2d(self.drop_block(F.relu(self.norm4(self.conv4(features)))), 2)
        features = self.drop_block(F.relu(self.norm5(self.conv5(features))))
        return self.fc(self.dropout(features.flatten(1)))


def _convolution(channels_in: int, channels_out: int) -> nn.Conv2d:
    """Build a 3x3 convolution without bias, which batch norm would cancel."""
    return nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
