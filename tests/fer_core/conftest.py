"""Tiny models with predictions that are easy to compute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fer_core.calibration import Calibration, PointCalibration
from fer_core.contract import Contract
from fer_core.labels import Expression

LABELS = (Expression.NEUTRAL, Expression.HAPPINESS, Expression.SADNESS)

WriteNetwork = Callable[..., None]
MakeBundle = Callable[..., Path]


@pytest.fixture
def write_network() -> WriteNetwork:
    return _write_network


def _write_network(
    path: Path,
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    *,
    size: int = 16,
    input_name: str = "faces",
    output_name: str = "logits",
    batch: int | str = "n",
) -> None:
    """Write a network with logits = weights @ channel means + bias. A second output,
    `means`, gives the averages."""
    classes, channels = weights.shape
    nodes = [
        helper.make_node("GlobalAveragePool", [input_name], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["means"]),
        helper.make_node("Gemm", ["means", "weights", "bias"], [output_name], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(input_name, TensorProto.FLOAT, [batch, channels, size, size])],
        [
            helper.make_tensor_value_info(output_name, TensorProto.FLOAT, [batch, classes]),
            helper.make_tensor_value_info("means", TensorProto.FLOAT, [batch, channels]),
        ],
        [
            numpy_helper.from_array(weights.astype(np.float32), "weights"),
            numpy_helper.from_array(bias.astype(np.float32), "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, path)


@pytest.fixture
def make_bundle(tmp_path: Path) -> MakeBundle:
    """A bundle whose logits are the mean red, green and blue (0..1) times 8: red reads as neutral, green as
    happiness, blue as sadness."""

    def make(
        name: str = "tiny", *, confidence_threshold: float = 0.0, tau: float = 0.0, margin_01: float = 0.0
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        contract = Contract(color="rgb", size_px=16, crop_margin_01=margin_01, normalization="unit", labels=LABELS)
        contract.save(folder / "contract.json")
        Calibration(
            log_priors=tuple(float(value) for value in np.log([0.6, 0.3, 0.1])),
            points={
                "accurate": PointCalibration(tau=0, confidence_threshold=confidence_threshold),
                "balanced": PointCalibration(tau=tau, confidence_threshold=confidence_threshold),
            },
        ).save(folder / "calibration.json")
        _write_network(folder / "model.onnx", 8 * np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
        return folder

    return make
