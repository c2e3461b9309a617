"""INT8 quantization of a model's network, and its comparison with FP32 on the same images."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.bundles.bundle import INPUT_NAME, MODEL_FILE
from fer_core.bundles.quantization_report import QuantizationResult
from fer_core.calibration import Calibration
from fer_core.errors import InputError
from fer_core.evaluation.predictions import table_logits, true_labels
from fer_core.evaluation.report import build_reports
from fer_core.evaluation.report_schema import Scores, StoredReport
from fer_core.labels import LabelSet
from fer_core.metrics import paired_difference

_BATCH = 16
_QUANTIZED_OP = "Conv"
_PERCENTILE = 99.99
"""Percentile of the activations' ranges: the few largest activations would make the steps of all others coarser. Chosen
on validation images: docs/experiments.md."""


def quantize(folder: Path, faces: NDArray[np.float32]) -> bytes:
    """Quantize the network to INT8, statically (QDQ) and per channel; returns an ONNX file.

    Only convolutions are quantized, which take most of the time. Weights use 7 bits: on processors without VNNI two
    products of 8 bits overflow 16 bits, and the results would differ between machines. Needs the `onnx` package.

    Args:
        folder: of a bundle or finished run.
        faces: some hundred training faces for the ranges of the activations, normalized; float32, shape
            (N, channels, size_px, size_px). Those beyond a multiple of 16 are ignored.
    Raises:
        InputError: there are no faces, or the network has no convolutions.
    """
    if not len(faces):
        raise InputError("There are no faces for the ranges of the activations. Give at least one.")
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    batch = min(_BATCH, len(faces))
    with TemporaryDirectory(prefix="ferscope-int8-") as temporary, _silenced():
        prepared, quantized = Path(temporary) / "prepared.onnx", Path(temporary) / "int8.onnx"
        # Folds batch norms into the convolutions and infers the shapes, which the ranges need.
        quant_pre_process(str(folder / MODEL_FILE), str(prepared), skip_symbolic_shape=True)
        if not any(node.op_type == _QUANTIZED_OP for node in onnx.load(prepared).graph.node):
            raise InputError(f"The network of {folder.name} has no convolutions, so INT8 would not make it faster.")
        quantize_static(
            str(prepared),
            str(quantized),
            _calibration_reader(faces, batch),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[_QUANTIZED_OP],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile,
            # Limits memory to a batch; the option is named after another method but works for this one.
            extra_options={"CalibPercentile": _PERCENTILE, "CalibStridedMinMax": batch},
        )
        return quantized.read_bytes()


def compare_to_fp32(
    fp32: pd.DataFrame, int8: pd.DataFrame, calibration: Calibration, labels: LabelSet
) -> tuple[QuantizationResult, ...]:
    """Compare the metrics of both networks for each protocol with labels, at each operating point.

    Args:
        fp32: predictions of the FP32 network, from `predict_dataset`.
        int8: of the INT8 network, on the same images in the same order.
    """
    pairs = zip(build_reports(fp32, calibration, labels), build_reports(int8, calibration, labels), strict=True)
    logits = [table_logits(each, labels) for each in (fp32, int8)]
    return tuple(
        _compare(before, after, true_labels(fp32, before.protocol, labels), logits, calibration)
        for before, after in pairs
    )


def _compare(
    before: StoredReport,
    after: StoredReport,
    truth: NDArray[np.int64],
    logits: list[NDArray[np.float32]],
    calibration: Calibration,
) -> QuantizationResult:
    labeled = truth >= 0
    predicted = [calibration.predict(each[labeled], before.point) for each in logits]
    drop_01, interval = paired_difference(*(each == truth[labeled] for each in predicted))
    return QuantizationResult(
        protocol=before.protocol,
        point=before.point,
        n=before.n,
        fp32=Scores.from_report(before),
        int8=Scores.from_report(after),
        accuracy_drop_01=drop_01,
        accuracy_drop_interval=interval,
        agreement_01=float(np.mean(predicted[0] == predicted[1])),
    )


@contextmanager
def _silenced() -> Iterator[None]:
    """Silence onnxruntime's quantization, which prints and changes the log level."""
    level = logging.root.level
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        logging.root.setLevel(level)


def _calibration_reader(faces: NDArray[np.float32], batch: int) -> Any:
    """Wrap the faces for onnxruntime's quantization, which reads them in ranges."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def __init__(self) -> None:
            self._next: NDArray[np.float32] | None = None

        def __len__(self) -> int:
            return len(faces) // batch * batch

        def set_range(self, start_index: int, end_index: int) -> None:
            self._next = faces[start_index:end_index]

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            batch_faces, self._next = self._next, None
            return None if batch_faces is None else {INPUT_NAME: batch_faces}

    return Reader()
