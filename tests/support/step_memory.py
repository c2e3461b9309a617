"""Measure the memory of a training step, as a reference for `memory_estimate`."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

_PROBES = (2, 3)
"""Measured batch sizes; activations grow linearly with the batch size."""


@dataclass(frozen=True, slots=True)
class StepMemory:
    """Memory of a training step in bytes, without workspaces of the libraries.

    The sum is near the peak, not a bound: activations are freed while gradients are allocated.

    Attributes:
        weights: parameters and buffers.
        gradients: one number per trainable parameter.
        optimizer: state of the optimizer and EMA.
        activations: tensors that the forward pass saves for the backward pass.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations


def measure_step_memory(
    network: nn.Module,
    channels: int,
    size_px: int,
    batch_size: int,
    *,
    precision: Literal["fp32", "bf16", "fp16"] = "fp32",
    copies: int = 1,
) -> StepMemory:
    """Measure two small batches and extrapolate the memory of a training step to `batch_size` images.

    Args:
        network: on its training device; neither the network nor the global generators change.
        precision: of autocast; weights are always float32.
        copies: copies of each trainable parameter: 1 for SGD with momentum, 2 for Adam, plus 1 for EMA.
    """
    clone = copy.deepcopy(network).train()
    device = next(network.parameters()).device
    # Dropout must not change the state of the global generators.
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        first, second = (_activation_bytes(clone, (size, channels, size_px, size_px), precision) for size in _PROBES)
    activations = first + (second - first) * (batch_size - _PROBES[0]) // (_PROBES[1] - _PROBES[0])
    weights = sum(_bytes(tensor) for tensor in (*network.parameters(), *network.buffers()))
    trainable = sum(_bytes(parameter) for parameter in network.parameters() if parameter.requires_grad)
    return StepMemory(weights, trainable, copies * trainable, max(activations, 0))


def _activation_bytes(network: nn.Module, shape: tuple[int, ...], precision: str) -> int:
    """Bytes of the storages that the forward pass saves, without weights."""
    weights = {tensor.untyped_storage().data_ptr() for tensor in (*network.parameters(), *network.buffers())}
    activations: dict[int, Any] = {}

    def save(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            activations[storage.data_ptr()] = storage  # a reference, so that the address is not reused
        return tensor

    device = next(network.parameters()).device
    dtype = torch.float16 if precision == "fp16" else torch.bfloat16
    with (
        torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor),
        torch.autocast(device.type, dtype, enabled=precision != "fp32"),
    ):
        network(torch.zeros(shape, device=device).contiguous(memory_format=torch.channels_last))
    return sum(storage.nbytes() for storage in activations.values())


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
