from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from fer_core.contract import Contract
from fer_core.errors import BundleError
from fer_core.labels import Expression, label_set

LABELS = label_set("eight").expressions
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
CONTRACTS = {
    "byte": Contract(color="rgb", size_px=32, normalization="byte", labels=LABELS),
    "unit": Contract(color="gray", size_px=24, normalization="unit", labels=LABELS),
    "image": Contract(color="gray", size_px=48, normalization="image", labels=LABELS),
    "channel": Contract(color="rgb", size_px=40, normalization="channel", labels=LABELS, **IMAGENET),
}
every_contract = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)


def _faces() -> list[NDArray[np.uint8]]:
    """Smooth and noisy images, larger and smaller than any contract, gray and RGB, not square."""
    rng = np.random.default_rng(3)
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    return [
        rng.integers(0, 256, (64, 64, 3), np.uint8),
        rng.integers(0, 256, (17, 20), np.uint8),
        np.stack([np.tile(ramp, (64, 1)), np.tile(ramp[:, None], (1, 64)), np.full((64, 64), 9, np.uint8)], axis=2),
        np.tile(ramp, (90, 1)),
    ]


@every_contract
def test_resize_gives_uint8_of_the_contracts_shape(contract: Contract) -> None:
    for face in _faces():
        fitted = contract.resize(face)
        assert fitted.shape == (contract.channels, contract.size_px, contract.size_px)
        assert fitted.dtype == np.uint8
        assert fitted.flags.c_contiguous


@every_contract
def test_apply_resizes_and_normalizes(contract: Contract) -> None:
    resized = np.stack([contract.resize(face) for face in _faces()]).astype(np.float32)
    batch = contract.apply_batch(_faces())
    assert batch.dtype == np.float32
    np.testing.assert_allclose(contract.normalize(resized), batch, atol=1e-6)
    for face, row in zip(_faces(), batch, strict=True):
        np.testing.assert_allclose(contract.apply(face), row, atol=1e-6)


@every_contract
def test_numpy_and_torch_normalize_alike(contract: Contract) -> None:
    resized = np.stack([contract.resize(face) for face in _faces()]).astype(np.float32)
    original = resized.copy()
    numpy_result, torch_result = contract.normalize(resized), contract.normalize(torch.from_numpy(resized))
    assert isinstance(numpy_result, np.ndarray)
    assert isinstance(torch_result, torch.Tensor)
    assert torch_result.dtype == torch.float32
    np.testing.assert_allclose(numpy_result, torch_result.numpy(), atol=1e-5)
    np.testing.assert_array_equal(resized, original)


def test_each_normalization_follows_its_formula() -> None:
    rng = np.random.default_rng(0)
    resized = rng.integers(0, 256, (5, 3, 32, 32)).astype(np.float32)
    np.testing.assert_array_equal(CONTRACTS["byte"].normalize(resized), resized)
    np.testing.assert_allclose(CONTRACTS["unit"].normalize(resized), resized / 255, atol=1e-7)
    image = CONTRACTS["image"].normalize(resized)
    np.testing.assert_allclose(image.mean((1, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(image.std((1, 2, 3)), 1, atol=1e-4)
    channel = CONTRACTS["channel"].normalize(resized)
    for channel_index, (mean, std) in enumerate(zip(IMAGENET["mean"], IMAGENET["std"], strict=True)):
        np.testing.assert_allclose(channel[:, channel_index], (resized[:, channel_index] / 255 - mean) / std, atol=1e-5)


def test_image_normalization_is_invariant_to_brightness() -> None:
    face = np.random.default_rng(1).integers(60, 120, (48, 48), np.uint8)
    contract = CONTRACTS["image"]
    np.testing.assert_allclose(contract.apply(face), contract.apply(2 * face), atol=1e-5)


@every_contract
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_constant_image_stays_finite(contract: Contract, level: int) -> None:
    resized = contract.apply(np.full((30, 30, 3), level, np.uint8))
    assert np.isfinite(resized).all()
    if contract.normalization == "image":
        np.testing.assert_allclose(resized, 0, atol=1e-4)


def test_an_image_of_the_right_size_is_unchanged() -> None:
    face = np.random.default_rng(2).integers(0, 256, (32, 32, 3), np.uint8)
    np.testing.assert_array_equal(CONTRACTS["byte"].resize(face), face.transpose(2, 0, 1))


def test_downscaling_averages_pixels() -> None:
    face = np.zeros((96, 96), np.uint8)
    face[:, ::4] = 200  # downscaled by 4, each pixel averages one bright and three dark columns
    np.testing.assert_array_equal(CONTRACTS["unit"].resize(face), 50)


def test_gray_is_repeated_in_an_rgb_contract() -> None:
    fitted = CONTRACTS["byte"].resize(np.random.default_rng(4).integers(0, 256, (32, 32), np.uint8))
    assert (fitted[0] == fitted[1]).all()
    assert (fitted[0] == fitted[2]).all()


def test_colors_keep_their_order_and_luminance() -> None:
    levels = {}
    for channel_index, color in enumerate(("red", "green", "blue")):
        face = np.zeros((24, 24, 3), np.uint8)
        face[:, :, channel_index] = 255
        assert CONTRACTS["byte"].resize(face)[channel_index].min() == 255
        levels[color] = int(CONTRACTS["unit"].resize(face)[0, 0, 0])
    assert levels == {"red": 76, "green": 150, "blue": 29}  # ITU-R BT.601


@every_contract
def test_a_contract_round_trips(contract: Contract, tmp_path: Path) -> None:
    contract.save(tmp_path / "contract.json")
    assert Contract.load(tmp_path / "contract.json") == contract


def test_a_missing_contract_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"has no contract\.json.*preset"):
        Contract.load(tmp_path / "contract.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"img_size": 224}, "img_size"),
        ({"size_px": 4}, "size_px"),
        ({"color": "bgr"}, "color"),
        ({"labels": ["happy", "sad"]}, "labels"),
        ({"labels": ["fear", "fear"]}, "different"),
        ({"normalization": "channel"}, "3 values"),
        ({"mean": [0.5, 0.5, 0.5]}, "0 values"),
        ({"normalization": "channel", "mean": [0.5] * 3, "std": [0.0] * 3}, "above 0"),
        ({"normalization": "channel", "mean": [0.5] * 3, "std": [float("nan")] * 3}, "finite"),
        ({"version": 2}, "version"),
    ],
)
def test_an_invalid_contract_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    content = json.loads(CONTRACTS["byte"].model_dump_json()) | change
    (tmp_path / "contract.json").write_text(json.dumps(content))
    with pytest.raises(BundleError, match=message):
        Contract.load(tmp_path / "contract.json")


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b"\xff\xfe", b'{"color": "rgb"'])
def test_a_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"contract\.json"):
        Contract.load(tmp_path / "contract.json")


def test_a_contract_is_immutable() -> None:
    with pytest.raises(ValidationError):
        CONTRACTS["byte"].size_px = 64


def test_packs_are_shared_between_contracts_with_equal_resizing() -> None:
    contract = CONTRACTS["image"]
    assert contract.model_copy(update={"normalization": "unit"}).pack_key == contract.pack_key
    assert contract.model_copy(update={"size_px": 64}).pack_key != contract.pack_key
    assert contract.model_copy(update={"color": "rgb"}).pack_key != contract.pack_key


def test_the_label_set_keeps_the_order_of_the_outputs() -> None:
    reversed_labels = tuple(reversed(LABELS))
    contract = CONTRACTS["byte"].model_copy(update={"labels": reversed_labels})
    assert contract.label_set.expressions == reversed_labels
    assert contract.label_set.index(Expression.CONTEMPT) == 0
