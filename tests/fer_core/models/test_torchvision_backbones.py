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


def _torchvisions(name: str) -> nn.Module:
    """torchvision's network with weights of its own; its batch norms know the faces, so that signals come through."""
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
    """Files with weights of torchvision's networks stand in for the published ones."""

    def load(name: str, network: nn.Module, *, only: str = "") -> None:
        path = tmp_path / f"{name}.pth"
        if not path.is_file():
            torch.save(_torchvisions(name).state_dict(), path)
        load_weights(network, path, only=only)

    monkeypatch.setattr(published, "load_pretrained", load)
    monkeypatch.setattr(vgg, "load_pretrained", load)


def _step(network: nn.Module) -> None:
    """One step of training."""
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trainable, lr=0.1)
    network.train()(FACES).square().mean().backward()
    optimizer.step()


@pytest.mark.parametrize("name", ["resnet18", "mobilenet-v3-small"])
def test_frozen_features_stay_as_they_are_and_the_head_learns(name: str, weights: None) -> None:
    network = build_network(name, 5, frozen=True)
    before = copy.deepcopy(network.state_dict())
    assert trainable_parameter_count(network) == network.head.in_features * 5 + 5
    _step(network)
    changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {"head.weight", "head.bias"}
    assert network.training and not any(module.training for module in network.features.modules())


def test_fine_tuned_features_learn_and_so_do_their_batch_norms(weights: None) -> None:
    network = build_network("resnet18", 5)
    before = copy.deepcopy(network.state_dict())
    _step(network)
    same = [key for key, value in network.state_dict().items() if torch.equal(value, before[key])]
    assert same == []
    assert all(module.training for module in network.modules())


@pytest.mark.parametrize("name", ["resnet18", "mobilenet-v3-small"])
def test_the_features_are_torchvisions(name: str, weights: None) -> None:
    """With torchvision's own last layer in place of ours, torchvision's outputs come out."""
    theirs = _torchvisions(name)
    ours = build_network(name, 1000)
    ours.head.load_state_dict(theirs.get_submodule(published._LAST_LAYERS[name]).state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(ours.eval()(FACES), theirs(FACES))


def test_study_cs_network_freezes_the_convolutions_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(vgg, "load_pretrained", lambda name, network, only: asked.append((name, only)))
    with torch.device("meta"):
        network = build_network("vgg16", 3, size_px=64)
        free = build_network("vgg16", 3, size_px=64, frozen=False)
    assert asked == [("vgg16", "features.")] * 2
    assert trainable_parameter_count(network) == 2 * 2 * 512 * 128 + 128 + 128 * 3 + 3
    assert trainable_parameter_count(free) - trainable_parameter_count(network) == 14_714_688


def test_without_pretrained_weights_everything_learns() -> None:
    network = build_network("resnet18", 4, channels=3, pretrained=False, frozen=True)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(module.training for module in network.train().modules())
