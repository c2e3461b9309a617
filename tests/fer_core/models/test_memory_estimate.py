"""Cost estimates compared with the built networks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import nn

from fer_core.models.catalog import MODELS, ModelInfo
from fer_core.models.flops import multiply_adds
from fer_core.models.memory_estimate import MEASURED, estimate_cost, optimizer_state_copies
from fer_core.models.registry import build_network
from tests.support.step_memory import measure_step_memory

BATCH = 16
OTHER_OPTIONS: list[tuple[str, dict[str, object]]] = [
    ("small-resnet", {"width": 16}),
    ("small-se-resnet", {"width": 48}),
    ("small-se-resnet", {"size_px": 96, "width": 8}),
    ("halved-se-resnet", {"width": 16, "size_px": 64}),
    ("unet-classifier", {"width": 32, "size_px": 64}),
    ("regularized-cnn", {"width": 16, "size_px": 48}),
    ("regularized-cnn", {"width": 32, "size_px": 96}),
    ("vgg19-48", {"size_px": 96}),
    ("vgg16", {"size_px": 64, "pretrained": False}),
    ("resnet18", {"size_px": 96, "pretrained": False}),
    ("convnext-tiny", {"size_px": 96, "pretrained": False}),
]


def build(info: ModelInfo, options: Mapping[str, object], classes: int = 8) -> tuple[nn.Module, int]:
    """Build a network with random weights, frozen without a pretrained file."""
    values: dict[str, Any] = dict(info.resolve_options(options))
    frozen = values.pop("frozen", False)
    if "pretrained" in values:
        values["pretrained"] = False
    network = build_network(info.name, classes, **values)
    if frozen:
        features = network.features
        assert isinstance(features, nn.Module)
        features.requires_grad_(False)
    return network, int(values.get("size_px", info.size_px))


def test_estimates_load_without_torch() -> None:
    code = "import fer_core.models.memory_estimate, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout.strip() == "False"


def test_every_network_was_measured() -> None:
    assert list(MEASURED) == list(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_defaults_match_measurements(name: str) -> None:
    info = MODELS[name]
    network, size_px = build(info, {})
    cost = estimate_cost(info, {}, batch_size=BATCH)
    assert (cost.parameters, cost.multiply_adds) == (info.parameters, info.multiply_adds)
    assert cost.trainable == sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    memory = measure_step_memory(network, info.channels, size_px, BATCH).total
    layer_io_bytes = MEASURED[name].layer_io_bytes * BATCH if info.resolve_options({}).get("frozen") else 0
    assert cost.step_bytes - layer_io_bytes == pytest.approx(memory, rel=0.02)


@pytest.mark.parametrize(("name", "options"), OTHER_OPTIONS)
def test_other_options_are_estimated_closely(name: str, options: dict[str, object]) -> None:
    info = MODELS[name]
    network, size_px = build(info, options)
    cost = estimate_cost(info, options, batch_size=BATCH)
    assert cost.parameters == pytest.approx(sum(parameter.numel() for parameter in network.parameters()), rel=0.04)
    assert cost.multiply_adds == pytest.approx(multiply_adds(network, info.channels, size_px), rel=0.04)
    memory = measure_step_memory(network, info.channels, size_px, BATCH).total
    assert cost.step_bytes == pytest.approx(memory, rel=0.06)


@pytest.mark.parametrize("name", [name for name, info in MODELS.items() if info.option("frozen")])
def test_frozen_networks_train_their_last_layers(name: str) -> None:
    info = MODELS[name]
    with torch.device("meta"):
        network, size_px = build(info, {"frozen": True})
    cost = estimate_cost(info, {"frozen": True}, batch_size=1)
    assert cost.trainable == sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    layer_io_bytes_max = 0

    def record_layer_io(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal layer_io_bytes_max
        layer_io_bytes_max = max(layer_io_bytes_max, 4 * (inputs[0].numel() + output.numel()))

    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(record_layer_io)
    network.eval()(torch.zeros(1, 3, size_px, size_px, device="meta"))
    assert MEASURED[name].layer_io_bytes == layer_io_bytes_max
    assert cost.step_bytes < estimate_cost(info, {"frozen": False}, batch_size=1).step_bytes


@pytest.mark.parametrize("name", ["shallow-cnn", "regularized-cnn", "vgg16", "resnet50", "unet-classifier"])
def test_fewer_classes_have_a_smaller_last_layer(name: str) -> None:
    info = MODELS[name]
    network, _ = build(info, {}, 3)
    cost = estimate_cost(info, {}, classes=3)
    assert cost.parameters == sum(parameter.numel() for parameter in network.parameters())


def test_half_precision_needs_about_half() -> None:
    info = MODELS["small-se-resnet"]
    network, size_px = build(info, {})
    cost = estimate_cost(info, {}, batch_size=64, precision="bf16")
    memory = measure_step_memory(network, 1, size_px, 64, precision="bf16").total
    assert cost.step_bytes == pytest.approx(memory, rel=0.15)
    assert estimate_cost(info, {}, batch_size=64, precision="fp16") == cost


def test_optimizer_state_is_counted() -> None:
    assert optimizer_state_copies("sgd", momentum=False, averaged=False) == 0
    assert optimizer_state_copies("sgd", momentum=True, averaged=True) == 2
    assert optimizer_state_copies("adamw", momentum=True, averaged=False) == 2
    one_copy, two_copies = (estimate_cost(MODELS["resnet18"], {}, copies=copies).step_bytes for copies in (1, 2))
    assert two_copies - one_copy == 4 * MODELS["resnet18"].parameters
