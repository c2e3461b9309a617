"""A second head for valence and arousal, put in the place of a network's last layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class MultiTaskHead(nn.Module):
    """The classes' logits and, in training, valence and arousal as well, from the same features.

    Because it takes the place of the last layer, the network returns what it returns.

    Shape: (N, F) to (N, classes) logits; in training to (logits, affect), where affect has shape (N, 2): valence and
    arousal, -1..1.
    """

    def __init__(self, classes: nn.Linear) -> None:
        super().__init__()
        self.classes = classes
        self.affect = nn.Linear(classes.in_features, 2)
        self.both = False

    def forward(self, features: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """Logits, or logits and affect."""
        logits: torch.Tensor = self.classes(features)
        if not (self.training or self.both):
            return logits
        return logits, torch.tanh(self.affect(features))


def add_affect(network: nn.Module, head: str) -> None:
    """Put a `MultiTaskHead` around the linear layer called `head`."""
    classes = network.get_submodule(head)
    assert isinstance(classes, nn.Linear)
    network.set_submodule(head, MultiTaskHead(classes))


@contextmanager
def with_affect_outputs(network: nn.Module) -> Iterator[None]:
    """Within the block the network returns (logits, affect) outside training too, to be judged by both."""
    heads = [module for module in network.modules() if isinstance(module, MultiTaskHead)]
    for head in heads:
        head.both = True
    try:
        yield
    finally:
        for head in heads:
            head.both = False
