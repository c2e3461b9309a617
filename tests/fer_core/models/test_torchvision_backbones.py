from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
import torchvision.models
from torch import nn

from fer_core.models import torchvision_backbones as published
from fer_core.models import vgg
from fer_core.models.registry import build_network, trainable_parameter_count
from fer_core.models.weights_file import load_weights

FACES = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def _build_reference(name: str) -> nn.Module:
    """Build torchvision's network with random weights and batch norm statistics of the faces."""
    torch.manual_seed(3)
    network = torchvision.models.get_model(name.replace("-", "_"), weights=None)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(FACES)
    return network.eval()


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the published weights by random ones of torchvision's networks."""

    def load(name: str, network: nn.Module, *, prefix: str = "") -> None:
        path = tmp_path / f"{name}.pth"
        if not path.is_file():
            torch.save(_build_reference(name).state_dict(), path)
        load_weights(network, path, prefix=prefix)

    monkeypatch.setattr(published, "load_pretrained", load)
    monkeypatch.setattr(vgg, "load_pretrained", load)


def _step(network: nn.Module) -> None:
    """One step of training."""
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trainable, lr=0.1)
    network.train()(FACES).square().mean().backward()
    optimizer.step()


@pytest.mark.parametrize("name", ["resnet18", "mobilenet-v3-small"])
def test_frozen_features_stay_and_the_head_trains(name: str, weights: None) -> None:
    network = build_network(name, 5, frozen=True)
    state_before = copy.deepcopy(network.state_dict())
    assert trainable_parameter_count(network) == network.head.in_features * 5 + 5
    _step(network)
    changed = {key for key, value in network.state_dict().items() if not torch.equal(value, state_before[key])}
    assert changed == {"head.weight", "head.bias"}
    assert network.training and not any(module.training for module in network.features.modules())


def test_fine_tuning_trains_features_and_batch_norms(weights: None) -> None:
    network = build_network("resnet18", 5)
    state_before = copy.deepcopy(network.state_dict())
    _step(network)
    unchanged = [key for key, value in network.state_dict().items() if torch.equal(value, state_before[key])]
    assert unchanged == []
    assert all(module.training for module in network.modules())


@pytest.mark.parametrize("name", ["resnet18", "mobilenet-v3-small"])
def test_the_features_are_torchvisions(name: str, weights: None) -> None:
    """With torchvision's last layer, the outputs equal torchvision's."""
    reference = _build_reference(name)
    network = build_network(name, 1000)
    network.head.load_state_dict(reference.get_submodule(published._LAST_LAYERS[name]).state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(network.eval()(FACES), reference(FACES))


def test_study_cs_network_freezes_the_convolutions_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(vgg, "load_pretrained", lambda name, network, prefix: calls.append((name, prefix)))
    with torch.device("meta"):
        network = build_network("vgg16", 3, size_px=64)
        trainable = build_network("vgg16", 3, size_px=64, frozen=False)
    assert calls == [("vgg16", "features.")] * 2
    assert trainable_parameter_count(network) == 2 * 2 * 512 * 128 + 128 + 128 * 3 + 3
    assert trainable_parameter_count(trainable) - trainable_parameter_count(network) == 14_714_688


def test_without_pretrained_weights_every_layer_trains() -> None:
    network = build_network("resnet18", 4, channels=3, pretrained=False, frozen=True)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(module.training for module in network.train().modules())
