"""Study A's CNN, exactly as published: five convolutions and one linear layer, 52 thousand parameters."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from fer_core.models.registry import register

_POOLED_SIDE = 14


@register("shallow-cnn", head="fc")
class ShallowCnn(nn.Module):
    """3x3 convolutions 3→12→12→24→24→24, ReLU after each, 2x2 max pooling after the first four, a linear layer.

    The state dict has the published names: conv1 … conv5 and fc.

    Shape: (N, 3, 224, 224), 0..255, to (N, classes) logits.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 12, 3, padding=1)
        self.conv3 = nn.Conv2d(12, 24, 3, padding=1)
        self.conv4 = nn.Conv2d(24, 24, 3, padding=1)
        self.conv5 = nn.Conv2d(24, 24, 3, padding=1)
        self.fc = nn.Linear(_POOLED_SIDE * _POOLED_SIDE * 24, classes)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Compute logits."""
        features = faces
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            features = F.max_pool2d(F.relu(convolution(features)), 2)
        features = F.relu(self.conv5(features))
        return self.fc(features.flatten(1))
