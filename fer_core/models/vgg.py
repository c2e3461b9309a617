"""VGG networks (Simonyan & Zisserman, 2015): VGG19 at 48 pixels, and study C's VGG16."""

from __future__ import annotations

import torch
from torch import nn

from fer_core.models.registry import register
from fer_core.models.weights_file import load_pretrained

_STAGES_16 = (2, 2, 3, 3, 3)
_STAGES_19 = (2, 2, 4, 4, 4)
_WIDTHS = (64, 128, 256, 512, 512)
_DOWNSAMPLING = 32
_HIDDEN = 128


def vgg_features(channels: int, stages: tuple[int, ...], *, batch_norm: bool) -> nn.Sequential:
    """Stages of 3x3 convolutions with ReLU, each followed by 2x2 max pooling; layers are numbered as in torchvision.

    Shape: (N, channels, S, S) to (N, 512, S/32, S/32).
    """
    layers: list[nn.Module] = []
    for width, convolutions in zip(_WIDTHS, stages, strict=True):
        for _ in range(convolutions):
            convolution = nn.Conv2d(channels, width, 3, padding=1)
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
            layers += [convolution, *([nn.BatchNorm2d(width)] if batch_norm else []), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


@register("vgg19-48", head="classifier")
class Vgg19(nn.Module):
    """VGG19 of the FER2013 code base, with batch norm and one linear layer.

    At 48 pixels the last map has one position; for larger inputs it is averaged.

    Shape: (N, channels, S, S) to (N, classes) logits.
    """

    def __init__(self, channels: int, classes: int, dropout_01: float) -> None:
        super().__init__()
        self.features = vgg_features(channels, _STAGES_19, batch_norm=True)
        self.dropout = nn.Dropout(dropout_01)
        self.classifier = nn.Linear(_WIDTHS[-1], classes)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Compute logits."""
        return self.classifier(self.dropout(self.features(faces).mean((2, 3))))


@register("vgg16", head="head", size_dependent=True)
class Vgg16(nn.Module):
    """VGG16's convolutions, then study C's head: flatten, 128 with ReLU, dropout, the classes.

    Shape: (N, 3, S, S) to (N, classes) logits.
    """

    def __init__(
        self, channels: int, classes: int, size_px: int, pretrained: bool, frozen: bool, dropout_01: float
    ) -> None:
        super().__init__()
        self.features = vgg_features(channels, _STAGES_16, batch_norm=False)
        if pretrained:
            load_pretrained("vgg16", self, prefix="features.")
        self.features.requires_grad_(not frozen)
        self.hidden = nn.Linear((size_px // _DOWNSAMPLING) ** 2 * _WIDTHS[-1], _HIDDEN)
        self.dropout = nn.Dropout(dropout_01)
        self.head = nn.Linear(_HIDDEN, classes)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Compute logits."""
        hidden = torch.relu(self.hidden(self.features(faces).flatten(1)))
        return self.head(self.dropout(hidden))
