from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from fer_core.models.catalog import MODELS
from fer_core.models.registry import build_network
from fer_core.models.residual import SubsampledPointwise


def unsafe_convolutions(network: nn.Module) -> list[str]:
    """Find the strided 1x1 convolutions whose gradient oneDNN computes wrongly with AVX2 alone."""
    return [
        name
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d)
        and layer.kernel_size == (1, 1)
        and max(int(stride) for stride in layer.stride) > 1
        and layer.in_channels < 8
    ]


WITH_WIDTH = [name for name, info in MODELS.items() if info.option("width")]

TRAIN = """
import sys
import torch
from fer_core.models.catalog import MODELS
from fer_core.models.registry import build_network

torch.set_num_threads(1)
info = MODELS[sys.argv[1]]
options = {"size_px": 48} if info.option("size_px") else {}
for width in (4, 5, 6, 7):
    network = build_network(info.name, 3, width=width, **options).to(memory_format=torch.channels_last)
    faces = torch.randn(8, info.channels, 48, 48).contiguous(memory_format=torch.channels_last)
    for _ in range(3):
        network(faces).square().sum().backward()
    assert all(each.grad.isfinite().all() for each in network.parameters())
print("trained")
"""


@pytest.mark.parametrize("name", MODELS)
def test_no_network_has_an_unsafe_convolution_at_any_width(name: str) -> None:
    info = MODELS[name]
    options = {"pretrained": False} if info.option("pretrained") else {}
    for width in (4, 5, 6, 7, 8, 12) if info.option("width") else (None,):
        network = build_network(name, 8, **options, **({"width": width} if width else {}))
        assert unsafe_convolutions(network) == []


def test_an_unsafe_convolution_is_found() -> None:
    network = nn.Sequential(nn.Conv2d(4, 8, 1, stride=2), nn.Conv2d(8, 8, 1, stride=2), nn.Conv2d(4, 8, 3, stride=2))
    assert unsafe_convolutions(network) == ["0"]


def test_a_subsampled_convolution_equals_the_strided_one() -> None:
    torch.manual_seed(0)
    subsampled, strided = SubsampledPointwise(4, 6, 2), nn.Conv2d(4, 6, 1, 2, bias=False)
    strided.load_state_dict(subsampled.state_dict())
    for side in (8, 9):
        faces = torch.randn(3, 4, side, side)
        first_input, second_input = faces.clone().requires_grad_(), faces.clone().requires_grad_()
        torch.testing.assert_close(subsampled(first_input), strided(second_input))
        subsampled(first_input).square().sum().backward()
        strided(second_input).square().sum().backward()
        torch.testing.assert_close(first_input.grad, second_input.grad)
        torch.testing.assert_close(subsampled.weight.grad, strided.weight.grad)


@pytest.mark.parametrize("name", WITH_WIDTH)
def test_the_narrowest_networks_train_with_avx2_only(name: str) -> None:
    environment = {**os.environ, "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    command = [sys.executable, "-c", TRAIN, name]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert (result.returncode, result.stdout) == (0, "trained\n"), result.stderr
