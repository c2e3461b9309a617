from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from fer_core.errors import ConfigError, InputError
from fer_core.labels import Expression, label_set
from fer_core.models.catalog import CLASSES, MODELS, ModelInfo, model_info
from fer_core.models.flops import multiply_adds
from fer_core.models.registry import ARCHITECTURES, build_network, get_architecture, register, trainable_parameter_count
from fer_core.settings import Settings

every_model = pytest.mark.parametrize("info", MODELS.values(), ids=list(MODELS))
SMALL = [info for info in MODELS.values() if info.parameters < 5e6]


def _without_pretrained(info: ModelInfo, **options: Any) -> dict[str, Any]:
    """Options that build the network without a file of weights."""
    return options if info.weights is None else {"pretrained": False, **options}


def _calibrate_batch_norms(network: nn.Module, faces: torch.Tensor) -> nn.Module:
    """Fit the batch norm statistics to the faces, so that deep networks have distinct outputs."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(faces)
    return network.eval()


@every_model
def test_parameters_and_multiply_adds_match_the_catalog(info: ModelInfo) -> None:
    with torch.device("meta"):
        network = build_network(info.name, CLASSES, **_without_pretrained(info))
        flops = multiply_adds(network, info.channels, info.size_px)
        assert network(torch.zeros(2, info.channels, info.size_px, info.size_px)).shape == (2, CLASSES)
    assert (sum(parameter.numel() for parameter in network.parameters()), flops) == (
        info.parameters,
        info.multiply_adds,
    )


@every_model
def test_every_network_trains_at_its_size_limits(info: ModelInfo) -> None:
    """Checks shapes on the meta device, in training and evaluation mode."""
    size = info.option("size_px")
    for side in [info.size_px] if size is None else [int(size.low), int(size.high)]:
        with torch.device("meta"):
            options = {} if size is None else {"size_px": side}
            network = build_network(info.name, 5, **_without_pretrained(info, **options))
            faces = torch.zeros(3, info.channels, side, side)
            network.train()(faces).sum().backward()
            assert network.eval()(faces).shape == (3, 5)
        assert all(parameter.grad is not None for parameter in network.parameters()), "a layer is not used"


@pytest.mark.parametrize("info", SMALL, ids=[info.name for info in SMALL])
def test_networks_are_reproducible_and_faces_independent(info: ModelInfo) -> None:
    logits = []
    size = info.option("size_px")
    side = info.size_px if size is None else int(size.low)
    options = {} if size is None else {"size_px": side}
    faces = torch.rand(3, info.channels, side, side, generator=torch.Generator().manual_seed(1))
    for _ in range(2):
        torch.manual_seed(0)
        network = _calibrate_batch_norms(build_network(info.name, 4, **_without_pretrained(info, **options)), faces)
        with torch.inference_mode():
            logits.append(network(faces))
            single = network(faces[1:2])
    assert torch.equal(logits[0], logits[1])
    assert logits[0].shape == (3, 4)
    assert (logits[0][0] - logits[0][1]).abs().max() > 1e-4
    torch.testing.assert_close(single[0], logits[0][1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("info", "option"),
    [
        pytest.param(info, option, id=f"{info.name}-{option}")
        for info in MODELS.values()
        for option in ("width", "dropout_01", "drop_block_01", "size_px")
        if info.option(option)
    ],
)
def test_every_option_changes_the_network(info: ModelInfo, option: str) -> None:
    option_info = info.option(option)
    assert option_info is not None
    value = option_info.low if option_info.low != option_info.default else option_info.high
    with torch.device("meta"):
        plain = build_network(info.name, 4, **_without_pretrained(info))
        changed = build_network(info.name, 4, **_without_pretrained(info, **{option: value}))
    if option == "size_px":
        assert info.contract(label_set("four"), int(value)).size_px == value
        is_size_dependent = get_architecture(info.name).size_dependent
        assert (trainable_parameter_count(plain) != trainable_parameter_count(changed)) is is_size_dependent
    elif option == "width":
        assert trainable_parameter_count(changed) < trainable_parameter_count(plain) / 2
    else:
        assert repr(plain) != repr(changed)


def test_registry_and_catalog_have_the_same_networks() -> None:
    get_architecture("vgg16")
    assert set(ARCHITECTURES) == set(MODELS)


def test_duplicate_and_unknown_registrations_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"'vgg'.*small-resnet"):
        get_architecture("vgg")
    with pytest.raises(ValueError, match="registered already"):
        register("small-resnet", head="head")(object)
    with pytest.raises(ValueError, match="no model 'unheard-of'"):
        register("unheard-of", head="head")(object)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("small-resnet", {"width": 1000}, "width of small-resnet is 4 to 128, but got 1000"),
        ("small-resnet", {"pretrained": True}, "small-resnet has no option pretrained"),
        ("shallow-cnn", {"width": 8}, "shallow-cnn has no option width"),
        ("shallow-cnn", {"channels": 1}, "shallow-cnn takes RGB images"),
        ("resnet18", {"channels": 1, "pretrained": False}, "resnet18 takes RGB images"),
    ],
)
def test_invalid_options_are_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_network(name, 8, **options)


def test_missing_weights_are_an_error_with_instructions(store: Settings) -> None:
    with pytest.raises(InputError) as error:
        build_network("resnet18", 8)
    message = str(error.value)
    assert "FERSCOPE_OFFLINE" in message
    assert "https://download.pytorch.org/models/resnet18-f37072fd.pth" in message
    assert str(store.store / "pretrained") in message
    assert "--set model.pretrained=false" in message


def test_study_as_network_is_as_published() -> None:
    network = build_network("shallow-cnn", 8)
    convolutions = [(3, 12), (12, 12), (12, 24), (24, 24), (24, 24)]
    expected = (
        sum(in_channels * out_channels * 9 + out_channels for in_channels, out_channels in convolutions)
        + 14 * 14 * 24 * 8
        + 8
    )
    assert trainable_parameter_count(network) == expected == 52_316
    layers = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc")
    assert list(network.state_dict()) == [
        f"{layer}.{parameter_name}" for layer in layers for parameter_name in ("weight", "bias")
    ]
    contract = model_info("shallow-cnn").contract(label_set("eight"))
    assert (contract.color, contract.size_px, contract.normalization) == ("rgb", 224, "byte")
    assert network(torch.zeros(1, 3, 224, 224)).shape == (1, 8)
    with pytest.raises(ConfigError, match="RGB"):
        build_network("shallow-cnn", 8, channels=1)


@pytest.mark.parametrize(("width", "millions"), [(16, 0.7), (24, 1.6)])
def test_the_residual_network_has_its_stated_size(width: int, millions: float) -> None:
    network = build_network("small-resnet", 8, channels=1, width=width)
    assert trainable_parameter_count(network) / 1e6 == pytest.approx(millions, abs=0.05)
    assert network.eval()(torch.zeros(2, 1, 48, 48)).shape == (2, 8)


def test_a_contract_has_the_labels_of_its_set() -> None:
    for name in ("small-resnet", "shallow-cnn"):
        assert model_info(name).contract(label_set("seven")).labels == tuple(Expression)[:7]
