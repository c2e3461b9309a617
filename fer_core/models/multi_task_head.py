"""A second head for valence and arousal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class MultiTaskHead(nn.Module):
    """Class logits and, in training, valence and arousal from the same features.

    It replaces the last layer, so the network returns its output.

    Shape: (N, F) to (N, classes) logits; in training to (logits, affect), where affect has shape (N, 2): valence and
    arousal, -1..1.
    """

    def __init__(self, classes: nn.Linear) -> None:
        super().__init__()
        self.classes = classes
        self.affect = nn.Linear(classes.in_features, 2)
        self.both = False

    def forward(self, features: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """Compute logits, or logits and affect."""
        logits: torch.Tensor = self.classes(features)
        if not (self.training or self.both):
            return logits
        return logits, torch.tanh(self.affect(features))


def add_affect(network: nn.Module, head: str) -> None:
    """Wrap the linear layer named `head` into a `MultiTaskHead`."""
    classes = network.get_submodule(head)
    assert isinstance(classes, nn.Linear)
    network.set_submodule(head, MultiTaskHead(classes))


@contextmanager
def with_affect_outputs(network: nn.Module) -> Iterator[None]:
    """Make the network return (logits, affect) in evaluation mode too, within the block."""
    heads = [module for module in network.modules() if isinstance(module, MultiTaskHead)]
    for head in heads:
        head.both = True
    try:
        yield
    finally:
        for head in heads:
            head.both = False
