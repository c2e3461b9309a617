from __future__ import annotations

import subprocess
import sys

import pytest

from fer_core.contract import Contract
from fer_core.errors import ConfigError
from fer_core.labels import label_set
from fer_core.models.catalog import MODELS, ModelInfo, model_info
from fer_core.models.options import Option, resolve_options

EIGHT = label_set("eight")
SHARE = Option("share_01", "a share", 0.5, 0, 0.9)
SIDE = Option("side_px", "a side", 48, 32, 96, 8)
SWITCH = Option("on", "a switch", False)


def test_the_catalog_loads_without_torch() -> None:
    code = "import fer_core.models.catalog, fer_core.models.memory_estimate, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout.strip() == "False"


def test_unknown_models_list_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"'vgg'.*small-resnet.*convnext-tiny"):
        model_info("vgg")
    assert model_info("vgg16") is MODELS["vgg16"]


@pytest.mark.parametrize("info", MODELS.values(), ids=list(MODELS))
def test_every_model_has_a_contract_and_valid_defaults(info: ModelInfo) -> None:
    contract = info.contract(EIGHT)
    assert (contract.color, contract.size_px, contract.normalization) == (
        info.color,
        info.size_px,
        info.normalization,
    )
    assert contract.channels == info.channels
    assert contract.labels == EIGHT.expressions
    assert Contract.model_validate_json(contract.model_dump_json()) == contract
    assert info.resolve_options({}) == {option.name: option.default for option in info.options}
    assert (info.option("pretrained") is None) is (info.weights is None)
    assert info.summary.endswith(".") and "\n" not in info.summary


def test_a_contract_has_the_given_size() -> None:
    assert model_info("resnet18").contract(EIGHT, 96).size_px == 96
    assert model_info("small-resnet").contract(label_set("four")).labels == label_set("four").expressions
    with pytest.raises(ConfigError, match=r"size_px of resnet18 is 64 to 320 in steps of 32, but got 100"):
        model_info("resnet18").contract(EIGHT, 100)
    with pytest.raises(ConfigError, match=r"shallow-cnn has no option size_px \(got 96\).*It has no options"):
        model_info("shallow-cnn").contract(EIGHT, 96)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [(SHARE, 0, 0.0), (SHARE, 0.9, 0.9), (SIDE, 96, 96), (SIDE, 32.0, 32), (SWITCH, True, True), (SWITCH, None, False)],
)
def test_values_within_the_limits_are_accepted(option: Option, value: object, expected: object) -> None:
    resolved = resolve_options("net", [option], {option.name: value})[option.name]
    assert resolved == expected
    assert type(resolved) is type(option.default)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        (SHARE, 0.91, "share_01 of net is 0 to 0.9, but got 0.91"),
        (SHARE, float("nan"), "got nan"),
        (SHARE, True, "got True"),
        (SIDE, 50, "side_px of net is 32 to 96 in steps of 8, but got 50"),
        (SIDE, 24, "got 24"),
        (SIDE, "48", "got '48'"),
        (SWITCH, 1, "on of net is true or false, but got 1"),
    ],
)
def test_values_outside_the_limits_are_refused(option: Option, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        resolve_options("net", [option], {option.name: value})


def test_unknown_options_list_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match=r"small-resnet has no option wdth \(got 8\). It has width, dropout_01, size_px"
    ):
        model_info("small-resnet").resolve_options({"wdth": 8})


def test_frozen_needs_pretrained_weights() -> None:
    vgg = model_info("vgg16")
    assert vgg.resolve_options({})["frozen"] is True
    assert vgg.resolve_options({"pretrained": False})["frozen"] is False
    assert model_info("resnet18").resolve_options({"pretrained": False, "frozen": True})["frozen"] is False
    assert model_info("resnet18").resolve_options({"frozen": True})["frozen"] is True
