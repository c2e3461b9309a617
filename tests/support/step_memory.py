"""Measure the memory of a training step, against which `memory_estimate` is tested."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

_PROBES = (2, 3)
"""Batch sizes that are run; activations grow by the same with every image."""


@dataclass(frozen=True, slots=True)
class StepMemory:
    """What a training step keeps in memory at once, in bytes; the libraries' working space comes on top.

    The sum is near the true peak, not a limit: gradients come while activations go, and some layers need both at once.

    Attributes:
        weights: parameters and buffers.
        gradients: one number a learned parameter.
        optimizer: the optimizer's and averaging's copies of the learned parameters.
        activations: what the forward pass keeps for the backward pass.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations


def step_memory(
    network: nn.Module,
    channels: int,
    size_px: int,
    batch_size: int,
    *,
    precision: Literal["fp32", "bf16", "fp16"] = "fp32",
    copies: int = 1,
) -> StepMemory:
    """What a training step with `batch_size` images keeps in memory, from two small batches that are really run.

    Args:
        network: on the device it would train on; it is left as it is, and so is the state of chance.
        precision: of autocast; the weights themselves are float32 always.
        copies: numbers kept beside each learned parameter: SGD with momentum 1, Adam 2, and 1 for averaged weights.
    """
    probed = copy.deepcopy(network).train()
    device = next(network.parameters()).device
    with torch.random.fork_rng(
        [device] if device.type == "cuda" else []
    ):  # dropout draws; a run's seed must not notice
        few, more = (_activation_bytes(probed, (size, channels, size_px, size_px), precision) for size in _PROBES)
    kept = few + (more - few) * (batch_size - _PROBES[0]) // (_PROBES[1] - _PROBES[0])
    weights = sum(_bytes(each) for each in (*network.parameters(), *network.buffers()))
    trainable = sum(_bytes(each) for each in network.parameters() if each.requires_grad)
    return StepMemory(weights, trainable, copies * trainable, max(kept, 0))


def _activation_bytes(network: nn.Module, shape: tuple[int, ...], precision: str) -> int:
    """Bytes of all that the forward pass keeps, each storage once; the weights are not among them."""
    own = {each.untyped_storage().data_ptr() for each in (*network.parameters(), *network.buffers())}
    kept: dict[int, Any] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage  # held, so that no other storage gets its address
        return tensor

    device = next(network.parameters()).device
    dtype = torch.float16 if precision == "fp16" else torch.bfloat16
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast(device.type, dtype, enabled=precision != "fp32"),
    ):
        network(torch.zeros(shape, device=device).contiguous(memory_format=torch.channels_last))
    return sum(storage.nbytes() for storage in kept.values())


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
