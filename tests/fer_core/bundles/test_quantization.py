from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from fer_core.bundles.bundle import Bundle
from fer_core.bundles.quantization import compare_to_fp32, quantize
from fer_core.calibration import Calibration
from fer_core.errors import InputError
from fer_core.labels import label_set
from tests.support.exported_networks import small_contract, write_small_bundle

FOUR = label_set("four")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_bundle(tmp_path_factory.mktemp("network") / "tiny", "four")


def faces(count: int, seed: int) -> np.ndarray:
    return small_contract("four").normalize(
        np.random.default_rng(seed).uniform(0, 255, (count, 1, 32, 32)).astype(np.float32)
    )


def test_a_quantized_network_is_smaller_and_answers_nearly_the_same(folder: Path) -> None:
    content = quantize(folder, faces(40, 0))
    (folder / "int8.onnx").write_bytes(content)
    assert len(content) < 0.6 * (folder / "model.onnx").stat().st_size
    whole, small = Bundle.open(folder), Bundle.open(folder, model_file="int8.onnx")
    asked = faces(5, 1)
    ours, theirs = whole.logits(asked), small.logits(asked)
    assert theirs.shape == ours.shape and np.ptp(ours) > 0
    assert np.abs(ours - theirs).max() < 0.1 * np.abs(ours).max()
    assert not np.array_equal(ours, theirs)


def test_weights_are_of_8_bits_with_a_scale_a_channel(folder: Path) -> None:
    graph = onnx.load_from_string(quantize(folder, faces(8, 0))).graph
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in graph.node}
    kernels = [each for each in graph.initializer if each.data_type == onnx.TensorProto.INT8 and len(each.dims) == 4]
    assert kernels
    scales = {each.name: each for each in graph.initializer}
    assert any(list(each.dims) == [kernels[0].dims[0]] for name, each in scales.items() if "scale" in name)


def test_weights_leave_room_for_the_sum_of_two_products(folder: Path) -> None:
    """A sum of two products of an 8 bit value and a weight must fit 16 bits: processors without VNNI add them there."""
    graph = onnx.load_from_string(quantize(folder, faces(8, 0))).graph
    kernels = [each for each in graph.initializer if each.data_type == onnx.TensorProto.INT8 and len(each.dims) == 4]
    furthest = max(int(np.abs(onnx.numpy_helper.to_array(each).astype(int)).max()) for each in kernels)
    assert furthest >= 32 and 2 * 255 * furthest < 2**15


@pytest.mark.parametrize("count", [1, 15, 16, 37])
def test_any_number_of_faces_gives_ranges(folder: Path, count: int) -> None:
    assert quantize(folder, faces(count, 0))


def test_a_network_is_held_against_itself_without_loss_and_against_a_worse_one_with_it() -> None:
    names = [str(expression) for expression in FOUR]
    truth = np.arange(40) % 4
    right = pd.DataFrame(4 * np.eye(4, dtype=np.float32)[truth], columns=[f"logit_{name}" for name in names])
    right["id"], right["argmax"] = [str(number) for number in range(40)], [names[code] for code in truth]
    wrong = right.copy()
    wrong.loc[:9, [f"logit_{name}" for name in names]] = 4 * np.eye(4, dtype=np.float32)[(truth[:10] + 1) % 4]
    calibration = Calibration.identity(FOUR.expressions)
    for result in compare_to_fp32(right, right, calibration, FOUR):
        assert (result.accuracy_drop_01, result.agreement_01) == (0, 1)
        low, high = result.accuracy_drop_interval
        assert low == pytest.approx(-high) and 0 < high < 0.1
        assert result.fp32 == result.int8
    found = compare_to_fp32(right, wrong, calibration, FOUR)
    assert [(result.protocol, result.point) for result in found] == [
        ("argmax", "accurate"),
        ("argmax", "balanced"),
    ]
    for result in found:
        assert result.accuracy_drop_01 == pytest.approx(0.25) and result.agreement_01 == pytest.approx(0.75)
        low, high = result.accuracy_drop_interval
        assert 0.05 < low < 0.25 < high < 0.4
        assert (result.fp32.accuracy, result.int8.accuracy, result.n) == (1, 0.75, 40)


def test_without_faces_there_are_no_ranges(folder: Path) -> None:
    with pytest.raises(InputError, match="no faces"):
        quantize(folder, faces(0, 0))
