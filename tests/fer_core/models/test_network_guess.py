"""The network of a file of weights, guessed from names and shapes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
import torchvision.models
from safetensors.torch import save
from torch import nn

from fer_core.errors import InputError
from fer_core.models.catalog import MODELS
from fer_core.models.network_guess import guess_network
from fer_core.models.registry import build_network
from fer_core.models.tensor_shapes import Shapes, read_shapes
from fer_core.models.weights_file import load_weights

NETWORKS: list[tuple[str, dict[str, int]]] = [
    ("small-resnet", {"width": 8}),
    ("small-se-resnet", {"width": 12}),
    ("halved-se-resnet", {"width": 16}),
    ("unet-classifier", {"width": 4}),
    ("shallow-cnn", {}),
    ("regularized-cnn", {"width": 12, "size_px": 96}),
    ("vgg19-48", {}),
    ("resnet18-48", {}),
    ("vgg16", {"size_px": 64}),
    *((name, {}) for name in ("resnet18", "resnet34", "resnet50", "mobilenet-v3-small", "mobilenet-v3-large")),
    *((name, {}) for name in ("efficientnet-b0", "convnext-tiny")),
]
TORCHVISION = {
    "resnet18": "resnet18",
    "mobilenet-v3-large": "mobilenet_v3_large",
    "efficientnet-b0": "efficientnet_b0",
    "convnext-tiny": "convnext_tiny",
}


def shapes_of(network: nn.Module) -> Shapes:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def build(name: str, classes: int, **options: int) -> nn.Module:
    plain = {"pretrained": False} if MODELS[name].option("pretrained") else {}
    with torch.device("meta"):
        return build_network(name, classes, **plain, **options)


def test_every_network_of_the_catalog_is_listed() -> None:
    assert {name for name, _ in NETWORKS} == set(MODELS)


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_each_network_is_recognized_with_classes_and_options(name: str, options: dict[str, int]) -> None:
    guess = guess_network("weights.pt", shapes_of(build(name, 7, **options)))
    assert (guess.network, guess.classes, guess.label_set) == (name, 7, "seven")
    assert guess.options_of(name) == options
    rebuilt = build(name, guess.classes, **guess.options_of(name))
    assert guess.rename(shapes_of(rebuilt)) == shapes_of(rebuilt), "the shapes are those of the guessed network"


@pytest.mark.parametrize(("name", "torchvision_name"), TORCHVISION.items())
def test_torchvisions_own_names_are_renamed(name: str, torchvision_name: str) -> None:
    with torch.device("meta"):
        published = torchvision.models.get_model(torchvision_name, weights=None, num_classes=8)
    guess = guess_network("weights.pt", shapes_of(published))
    assert (guess.network, guess.classes) == (name, 8)
    assert guess.rename(shapes_of(published)) == shapes_of(build(name, 8))


def test_a_second_head_for_affect_is_left_out() -> None:
    with torch.device("meta"):
        network = build_network("small-resnet", 8, affect=True, width=8)
    guess = guess_network("weights.pt", shapes_of(network))
    assert guess.network == "small-resnet"
    assert guess.rename(shapes_of(network)) == shapes_of(build("small-resnet", 8, width=8))


@pytest.mark.parametrize("torchvision_name", ["resnet101", "convnext_small", "vgg11", "efficientnet_b3"])
def test_an_unknown_network_is_refused_with_what_was_found(torchvision_name: str) -> None:
    with torch.device("meta"):
        network = torchvision.models.get_model(torchvision_name, weights=None)
    with pytest.raises(InputError, match=r"weights\.pt is of no network.*1,000 outputs.*small-resnet"):
        guess_network("weights.pt", shapes_of(network))


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors", "wrapped", "parallel", "parameters"])
def test_shapes_are_read_as_torch_reads_them(form: str, tmp_path: Path) -> None:
    network = build_network("small-resnet", 8, width=8)
    state = network.state_dict()
    content = io.BytesIO()
    if form == "safetensors":
        content.write(save(state))
    elif form == "wrapped":
        torch.save({"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1, "groups": [1, 2]}}, content)
    elif form == "parallel":
        torch.save({f"module.{name}": value for name, value in state.items()}, content)
    elif form == "parameters":
        torch.save({**state, **dict(network.named_parameters())}, content)
    else:
        torch.save(state, content, _use_new_zipfile_serialization=form == "zip")
    name = "weights.safetensors" if form == "safetensors" else "weights.pt"
    assert read_shapes(name, content) == shapes_of(network)
    (tmp_path / name).write_bytes(content.getvalue())
    load_weights(build_network("small-resnet", 8, width=8), tmp_path / name)


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("1/0",))


@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_in_a_file_is_executed(zipped: bool) -> None:
    content = io.BytesIO()
    torch.save({"a": torch.zeros(1), "b": _Evil()}, content, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match="UnpicklingError"):
        read_shapes("weights.pt", content)


@pytest.mark.parametrize("content", [b"", b"no weights", b"\xff" * 64, b"PK\x03\x04broken"])
@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
def test_other_files_are_refused(name: str, content: bytes) -> None:
    with pytest.raises(InputError, match=rf"{name} can't be read as a file of weights"):
        read_shapes(name, io.BytesIO(content))
