"""torchvision's networks with their ImageNet weights, and a last layer for expressions."""

from __future__ import annotations

from functools import partial
from typing import Self

import torch
import torchvision.models
from torch import nn

from fer_core.models.registry import register
from fer_core.models.weights_file import load_published

_LAST_LAYERS = {
    "resnet18": "fc",
    "resnet34": "fc",
    "resnet50": "fc",
    "mobilenet-v3-small": "classifier.3",
    "mobilenet-v3-large": "classifier.3",
    "efficientnet-b0": "classifier.1",
    "convnext-tiny": "classifier.2",
}
"""By name: where torchvision has the layer for ImageNet's classes."""


class TorchvisionBackbone(nn.Module):
    """A network of torchvision's up to its last layer, then dropout and a linear layer of our own.

    Frozen, all but the last layer keeps its weights and stays in evaluation mode, so that the statistics of its batch
    norms stay too.

    Shape: (N, 3, S, S) to (N, classes) logits.
    """

    def __init__(
        self, name: str, channels: int, classes: int, pretrained: bool, frozen: bool, dropout_01: float
    ) -> None:
        super().__init__()
        assert channels == 3
        features = torchvision.models.get_model(name.replace("-", "_"), weights=None)
        if pretrained:
            load_published(name, features)
        last = features.get_submodule(_LAST_LAYERS[name])
        features.set_submodule(_LAST_LAYERS[name], nn.Identity())
        for module in features.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0  # it stands just before the last layer, where ours is
        self.features = features.requires_grad_(not frozen)
        self.dropout = nn.Dropout(dropout_01)
        self.head = nn.Linear(last.in_features, classes)
        self.frozen = frozen

    def train(self, mode: bool = True) -> Self:
        """As any module, but frozen features stay in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.features.eval()
        return self

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Logits of each face."""
        return self.head(self.dropout(self.features(faces)))


for _name in _LAST_LAYERS:
    register(_name, head="head")(partial(TorchvisionBackbone, _name))
