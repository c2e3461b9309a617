"""Residual networks (He et al., 2016) with squeeze and excitation (Hu et al., 2018), for faces of about 48 pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from fer_core.models.registry import register

_SAFE_CHANNELS = 8
"""Input channels from which on a strided 1x1 convolution is safe to train on every processor.

On processors with AVX2 but without AVX-512, oneDNN (in torch 2.15) writes the gradient of such a convolution, channels
last and in fp32, past the end of its memory if there are fewer channels than numbers in a vector. The process then
crashes or hangs. Kernels of 2 to 7 pixels, other strides, grouped and depthwise convolutions and bf16 are safe.
"""

_SQUEEZE = 8
_RESNET18_WIDTH = 64

_FOUR_STAGES = ((1, 1), (2, 2), (4, 2), (8, 2))
_THREE_STAGES = ((2, 2), (4, 2), (8, 2))
"""Each stage's multiple of the width, and its first block's stride."""


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate computed from all channels' means. Shape: (N, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Linear(channels, max(channels // _SQUEEZE, 4))
        self.up = nn.Linear(max(channels // _SQUEEZE, 4), channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Apply the gates."""
        gate = torch.sigmoid(self.up(F.relu(self.down(features.mean((2, 3))))))
        return features * gate[:, :, None, None]


class Block(nn.Module):
    """Two 3x3 convolutions with batch norm, optional squeeze and excitation, and a shortcut.

    Shape: (N, C_in, H, W) to (N, C_out, H/stride, W/stride).
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int, *, squeeze_excite: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels_out)
        self.excite: nn.Module = SqueezeExcite(channels_out) if squeeze_excite else nn.Identity()
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(_pointwise(channels_in, channels_out, stride), nn.BatchNorm2d(channels_out))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Compute the block's output."""
        inner = F.relu(self.norm1(self.conv1(features)))
        return F.relu(self.excite(self.norm2(self.conv2(inner))) + self.shortcut(features))


class SubsampledPointwise(nn.Conv2d):
    """A strided 1x1 convolution as a subsampling and a convolution with stride 1, with equal results.

    Shape: (N, C_in, H, W) to (N, C_out, H/stride, W/stride).
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__(channels_in, channels_out, 1, bias=False)
        self.step = stride

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Convolve every `step`-th pixel of every `step`-th row."""
        return super().forward(features[:, :, :: self.step, :: self.step])


def _pointwise(channels_in: int, channels_out: int, stride: int) -> nn.Conv2d:
    """Build a 1x1 convolution whose gradient is safe on every processor."""
    if stride > 1 and channels_in < _SAFE_CHANNELS:
        return SubsampledPointwise(channels_in, channels_out, stride)
    return nn.Conv2d(channels_in, channels_out, 1, stride, bias=False)


class ResNet(nn.Module):
    """A 3x3 stem, stages of two blocks (the width doubles and the side halves at each), mean pooling.

    Shape: (N, channels, S, S) to (N, classes) logits.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        width: int,
        dropout_01: float,
        *,
        squeeze_excite: bool,
        stages: Sequence[tuple[int, int]] = _FOUR_STAGES,
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        blocks: list[nn.Module] = []
        channels_in = width
        for multiple, stride in stages:
            channels_out = width * multiple
            blocks.append(Block(channels_in, channels_out, stride, squeeze_excite=squeeze_excite))
            blocks.append(Block(channels_out, channels_out, 1, squeeze_excite=squeeze_excite))
            channels_in = channels_out
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout_01)
        self.head = nn.Linear(channels_in, classes)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Compute logits."""
        features = self.blocks(F.relu(self.norm(self.stem(faces))))
        return self.head(self.dropout(features.mean((2, 3))))


@register("small-resnet", head="head")
def small_resnet(channels: int, classes: int, width: int, dropout_01: float) -> ResNet:
    """Plain blocks: width 16 has 0.7 million parameters, width 24 has 1.6 million."""
    return ResNet(channels, classes, width, dropout_01, squeeze_excite=False)


@register("small-se-resnet", head="head")
def small_se_resnet(channels: int, classes: int, width: int, dropout_01: float) -> ResNet:
    """Blocks with squeeze and excitation."""
    return ResNet(channels, classes, width, dropout_01, squeeze_excite=True)


@register("halved-se-resnet", head="head")
def halved_se_resnet(channels: int, classes: int, width: int, dropout_01: float) -> ResNet:
    """No stage at full resolution, where most of the time but few of the parameters are: width 32 has 2.8 million."""
    return ResNet(channels, classes, width, dropout_01, squeeze_excite=True, stages=_THREE_STAGES)


@register("resnet18-48", head="head")
def resnet18_48(channels: int, classes: int, dropout_01: float) -> ResNet:
    """ResNet18 of the FER2013 code base: 64 channels, no pooling after the stem.

    It pools the whole last map; the code base uses only its upper left 4x4.
    """
    return ResNet(channels, classes, _RESNET18_WIDTH, dropout_01, squeeze_excite=False)
