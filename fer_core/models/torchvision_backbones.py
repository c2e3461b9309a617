"""torchvision networks with ImageNet weights and a new last layer."""

from __future__ import annotations

from functools import partial
from typing import Self

import torch
import torchvision.models
from torch import nn

from fer_core.models.registry import register
from fer_core.models.weights_file import load_pretrained

_LAST_LAYERS = {
    "resnet18": "fc",
    "resnet34": "fc",
    "resnet50": "fc",
    "mobilenet-v3-small": "classifier.3",
    "mobilenet-v3-large": "classifier.3",
    "efficientnet-b0": "classifier.1",
    "convnext-tiny": "classifier.2",
}
"""Name of the layer for ImageNet's classes, by network."""


class TorchvisionBackbone(nn.Module):
    """A torchvision network up to its last layer, then dropout and a new linear layer.

    If frozen, only the last layer is trained, and the others stay in evaluation mode, so that batch-norm statistics do
    not change.

    Shape: (N, 3, S, S) to (N, classes) logits.
    """

    def __init__(
        self, name: str, channels: int, classes: int, pretrained: bool, frozen: bool, dropout_01: float
    ) -> None:
        super().__init__()
        assert channels == 3
        features = torchvision.models.get_model(name.replace("-", "_"), weights=None)
        if pretrained:
            load_pretrained(name, features)
        last = features.get_submodule(_LAST_LAYERS[name])
        features.set_submodule(_LAST_LAYERS[name], nn.Identity())
        for module in features.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0  # replaced by our dropout, which is also before the last layer
        self.features = features.requires_grad_(not frozen)
        self.dropout = nn.Dropout(dropout_01)
        self.head = nn.Linear(last.in_features, classes)
        self.frozen = frozen

    def train(self, mode: bool = True) -> Self:
        """Set the mode; frozen features stay in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.features.eval()
        return self

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Compute logits."""
        return self.head(self.dropout(self.features(faces)))


for _name in _LAST_LAYERS:
    register(_name, head="head")(partial(TorchvisionBackbone, _name))
