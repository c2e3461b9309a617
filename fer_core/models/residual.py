"""Small residual networks for faces of about 48 pixels.

He et al. (2016), "Identity Mappings in Deep Residual Networks" (order of layers within a block is the first
paper's, after addition); squeeze and excitation after Hu et al. (2018), "Squeeze-and-Excitation Networks".
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from fer_core.contract import Contract
from fer_core.labels import LabelSet
from fer_core.models.registry import register

_SQUEEZE = 8


def small_contract(labels: LabelSet) -> Contract:
    """48x48 gray, each image standardised by itself: webcams differ in light more than in anything else."""
    return Contract(colour="gray", size_px=48, normalisation="image", labels=labels.expressions)


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate computed from all channels' means. Shape: (N, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Linear(channels, max(channels // _SQUEEZE, 4))
        self.up = nn.Linear(max(channels // _SQUEEZE, 4), channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The features, gated."""
        gate = torch.sigmoid(self.up(F.relu(self.down(features.mean((2, 3))))))
        return features * gate[:, :, None, None]


class Block(nn.Module):
    """Two 3x3 convolutions with batch norm, squeeze and excitation, and a shortcut.

    Shape: (N, C_in, H, W) to (N, C_out, H/stride, W/stride).
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels_out)
        self.excite = SqueezeExcite(channels_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False), nn.BatchNorm2d(channels_out)
            )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The block's output."""
        inner = F.relu(self.norm1(self.conv1(features)))
        return F.relu(self.excite(self.norm2(self.conv2(inner))) + self.shortcut(features))


@register("small-resnet", "Small residual network", small_contract)
class SmallResNet(nn.Module):
    """A 3x3 stem, four stages of residual blocks (the width doubles and the side halves at each), mean pooling.

    Width 16 has 0.7 million parameters, width 24 has 1.6 million.

    Shape: (N, channels, S, S) to (N, classes) logits.
    """

    def __init__(self, channels: int, classes: int, width: int = 24, dropout_01: float = 0.2) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        blocks: list[nn.Module] = []
        channels_in = width
        for stage in range(4):
            channels_out = width * 2**stage
            blocks += [Block(channels_in, channels_out, 1 if stage == 0 else 2), Block(channels_out, channels_out, 1)]
            channels_in = channels_out
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout_01)
        self.head = nn.Linear(channels_in, classes)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Logits of each face."""
        features = self.blocks(F.relu(self.norm(self.stem(faces))))
        return self.head(self.dropout(features.mean((2, 3))))
