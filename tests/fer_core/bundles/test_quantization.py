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


def test_a_quantized_network_is_smaller_and_nearly_as_accurate(folder: Path) -> None:
    content = quantize(folder, faces(40, 0))
    (folder / "int8.onnx").write_bytes(content)
    assert len(content) < 0.6 * (folder / "model.onnx").stat().st_size
    fp32, int8 = Bundle.open(folder), Bundle.open(folder, model_file="int8.onnx")
    inputs = faces(5, 1)
    fp32_logits, int8_logits = fp32.logits(inputs), int8.logits(inputs)
    assert int8_logits.shape == fp32_logits.shape and np.ptp(fp32_logits) > 0
    assert np.abs(fp32_logits - int8_logits).max() < 0.1 * np.abs(fp32_logits).max()
    assert not np.array_equal(fp32_logits, int8_logits)


def test_weights_are_int8_with_a_scale_per_channel(folder: Path) -> None:
    graph = onnx.load_from_string(quantize(folder, faces(8, 0))).graph
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in graph.node}
    kernels = [
        initializer
        for initializer in graph.initializer
        if initializer.data_type == onnx.TensorProto.INT8 and len(initializer.dims) == 4
    ]
    assert kernels
    scales = {initializer.name: initializer for initializer in graph.initializer}
    assert any(
        list(initializer.dims) == [kernels[0].dims[0]] for name, initializer in scales.items() if "scale" in name
    )


def test_weights_leave_room_for_the_sum_of_two_products(folder: Path) -> None:
    """A sum of two products of an 8 bit value and a weight must fit 16 bits: processors without VNNI add them there."""
    graph = onnx.load_from_string(quantize(folder, faces(8, 0))).graph
    kernels = [
        initializer
        for initializer in graph.initializer
        if initializer.data_type == onnx.TensorProto.INT8 and len(initializer.dims) == 4
    ]
    largest = max(int(np.abs(onnx.numpy_helper.to_array(initializer).astype(int)).max()) for initializer in kernels)
    assert largest >= 32 and 2 * 255 * largest < 2**15


@pytest.mark.parametrize("count", [1, 15, 16, 37])
def test_any_number_of_faces_can_calibrate(folder: Path, count: int) -> None:
    assert quantize(folder, faces(count, 0))


def test_accuracy_drop_and_agreement_are_measured_with_intervals() -> None:
    names = [str(expression) for expression in FOUR]
    truth = np.arange(40) % 4
    fp32_predictions = pd.DataFrame(4 * np.eye(4, dtype=np.float32)[truth], columns=[f"logit_{name}" for name in names])
    fp32_predictions["id"], fp32_predictions["argmax"] = (
        [str(number) for number in range(40)],
        [names[label_index] for label_index in truth],
    )
    int8_predictions = fp32_predictions.copy()
    int8_predictions.loc[:9, [f"logit_{name}" for name in names]] = (
        4 * np.eye(4, dtype=np.float32)[(truth[:10] + 1) % 4]
    )
    calibration = Calibration.identity(FOUR.expressions)
    for result in compare_to_fp32(fp32_predictions, fp32_predictions, calibration, FOUR):
        assert (result.accuracy_drop_01, result.agreement_01) == (0, 1)
        low, high = result.accuracy_drop_interval
        assert low == pytest.approx(-high) and 0 < high < 0.1
        assert result.fp32 == result.int8
    results = compare_to_fp32(fp32_predictions, int8_predictions, calibration, FOUR)
    assert [(result.protocol, result.point) for result in results] == [
        ("argmax", "accurate"),
        ("argmax", "balanced"),
    ]
    for result in results:
        assert result.accuracy_drop_01 == pytest.approx(0.25) and result.agreement_01 == pytest.approx(0.75)
        low, high = result.accuracy_drop_interval
        assert 0.05 < low < 0.25 < high < 0.4
        assert (result.fp32.accuracy, result.int8.accuracy, result.n) == (1, 0.75, 40)


def test_quantization_without_faces_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="no faces"):
        quantize(folder, faces(0, 0))
