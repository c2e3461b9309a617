"""Class activation maps: exact for networks with global average pooling, and refused for others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.calibration import Calibration
from fer_core.contract import Contract
from fer_core.errors import BundleError, InputError
from fer_core.inference.class_activation import class_activation_maps, mean_activation_map, overlay_activation
from fer_core.inference.network_features import FeatureNetwork
from fer_core.labels import Expression, label_set
from tests.support.exported_networks import write_small_bundle

RNG = np.random.default_rng(0)
FACES = [RNG.integers(0, 256, (48, 48), dtype=np.uint8) for _ in range(3)]


@pytest.fixture(params=["shipped", "exported", "exported with flips"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "shipped":
        return SHIPPED_FOLDER
    return write_small_bundle(tmp_path / "small", "seven", flip_tta="flips" in request.param)


def write_bundle(folder: Path, nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray]) -> Path:
    """Write a bundle of a handmade network for gray faces of 16 px and seven classes."""
    folder.mkdir()
    contract = Contract(color="gray", size_px=16, normalization="unit", labels=label_set("seven").expressions)
    contract.save(folder / "contract.json")
    Calibration.identity(contract.labels).save(folder / "calibration.json")
    graph = helper.make_graph(
        nodes,
        "handmade",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["faces", 1, 16, 16])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["faces", 7])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), folder / "model.onnx")
    return folder


def test_features_explain_the_logits_exactly(folder: Path) -> None:
    network = FeatureNetwork.open(folder)
    faces = network.contract.apply_batch(FACES)
    logits, embedding, maps = network.run(faces)
    plain = Bundle.open(folder, flip_tta=False).logits(faces)
    np.testing.assert_allclose(logits, plain, atol=1e-4)
    np.testing.assert_allclose(embedding @ network.weights.T + network.bias, logits, atol=1e-3)
    assert maps is not None and network.has_maps
    np.testing.assert_allclose(maps.mean((2, 3)), embedding, atol=1e-4)


def test_the_mean_of_a_map_is_the_logit_above_the_mean(folder: Path) -> None:
    network = FeatureNetwork.open(folder)
    logits = network.run(network.contract.apply_batch(FACES)).logits
    bias = network.bias - network.bias.mean()
    for code, label in enumerate(network.contract.labels[:3]):
        maps = class_activation_maps(network, FACES, label)
        np.testing.assert_allclose(maps.mean((1, 2)) + bias[code], logits[:, code] - logits.mean(1), atol=1e-3)


def test_a_bright_spot_is_where_the_map_is_high(tmp_path: Path) -> None:
    weights = np.zeros((7, 1), np.float32)
    weights[2] = 1
    nodes = [
        helper.make_node("GlobalAveragePool", ["faces"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "b"], ["logits"], transB=1),
    ]
    folder = write_bundle(tmp_path / "spot", nodes, {"w": weights, "b": np.zeros(7, np.float32)})
    network = FeatureNetwork.open(folder)
    face = np.zeros((16, 16), np.uint8)
    face[3, 12] = 255
    label = network.contract.labels[2]
    (activation,) = class_activation_maps(network, [face], label)
    assert np.unravel_index(activation.argmax(), activation.shape) == (3, 12)
    assert activation.max() == pytest.approx(6 / 7)


def test_a_network_without_pooling_has_an_embedding_but_no_maps(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Flatten", ["faces"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["logits"]),
    ]
    constants = {"w": RNG.normal(size=(256, 7)).astype(np.float32), "b": np.ones(7, np.float32)}
    network = FeatureNetwork.open(write_bundle(tmp_path / "flat", nodes, constants))
    faces = network.contract.apply_batch(FACES)
    logits, embedding, maps = network.run(faces)
    assert maps is None and not network.has_maps
    np.testing.assert_allclose(embedding @ network.weights.T + network.bias, logits, atol=1e-4)
    with pytest.raises(InputError, match="no exact class activation map"):
        class_activation_maps(network, FACES, Expression.FEAR)


def test_a_network_without_a_linear_layer_is_refused(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["faces", "w"], ["scores"]),
        helper.make_node("GlobalMaxPool", ["scores"], ["highest"]),
        helper.make_node("Flatten", ["highest"], ["logits"]),
    ]
    folder = write_bundle(tmp_path / "conv", nodes, {"w": np.ones((7, 1, 3, 3), np.float32)})
    with pytest.raises(BundleError, match="does not end with a linear layer"):
        FeatureNetwork.open(folder)


def test_an_expression_that_the_model_lacks_is_refused(tmp_path: Path) -> None:
    network = FeatureNetwork.open(write_small_bundle(tmp_path / "small", "seven"))
    with pytest.raises(InputError, match="no expression 'contempt'"):
        class_activation_maps(network, FACES, Expression.CONTEMPT)


def test_the_mean_map_counts_each_face_alike() -> None:
    strong, weak = np.zeros((2, 4, 4), np.float32)
    strong[0, 0], weak[3, 3] = 100, 1
    mean = mean_activation_map(np.stack([strong, weak]))
    assert mean[0, 0] == mean[3, 3] == 0.5


def test_an_overlay_is_warm_where_the_score_rises_and_gray_elsewhere() -> None:
    face = np.full((48, 48), 120, np.uint8)
    activation = np.zeros((6, 6), np.float32)
    activation[0, 0], activation[5, 5] = 1, -1
    picture = overlay_activation(face, activation).astype(int)
    assert picture.shape == (192, 192, 3)
    assert picture[2, 2, 0] > picture[2, 2, 2] and picture[-3, -3, 2] > picture[-3, -3, 0]
    assert (np.ptp(picture[96, 96]) <= 3).all()
