"""What a network costs: its parameters, its multiply-adds, and the memory of a training step."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

_PROBES = (2, 3)
"""Batches that are really run; what a step keeps grows by the same with every image."""


@dataclass(frozen=True, slots=True)
class NetworkCost:
    """Size and work of a network.

    Attributes:
        parameters: all of them.
        trainable: those that training changes.
        multiply_adds: of convolutions and linear layers, for one image.
    """

    parameters: int
    trainable: int
    multiply_adds: int


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


def network_cost(network: nn.Module, channels: int, size_px: int) -> NetworkCost:
    """Count a network's parameters and one image's multiply-adds; on the meta device nothing is computed."""
    sizes = [(each.numel(), each.requires_grad) for each in network.parameters()]
    trainable = sum(size for size, is_learned in sizes if is_learned)
    return NetworkCost(sum(size for size, _ in sizes), trainable, multiply_adds(network, channels, size_px))


def multiply_adds(network: nn.Module, channels: int, size_px: int) -> int:
    """Multiplications that are added up by convolutions and linear layers, for one image.

    An output of a convolution takes kernel side² · channels_in / groups of them, one of a linear layer the number of
    its inputs; of a transposed convolution, each input takes kernel side² · channels_out / groups.
    """
    count = 0

    def counted(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal count
        if isinstance(module, nn.Linear):
            count += output.numel() * module.in_features
        elif isinstance(module, nn.ConvTranspose2d):
            count += inputs[0].numel() * module.weight[0].numel()
        elif isinstance(module, nn.Conv2d):
            count += output.numel() * module.weight[0].numel()

    hooks = [module.register_forward_hook(counted) for module in network.modules()]
    first = next(network.parameters())
    try:
        with _mode_kept(network), torch.inference_mode():
            network.eval()(torch.zeros(1, channels, size_px, size_px, device=first.device, dtype=first.dtype))
    finally:
        for hook in hooks:
            hook.remove()
    return count


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


@contextmanager
def _mode_kept(network: nn.Module) -> Iterator[None]:
    """Give every module its mode back afterwards."""
    modes = {module: module.training for module in network.modules()}
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
