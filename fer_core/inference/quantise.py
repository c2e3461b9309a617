"""A bundle's network with weights and activations of 8 bits: to be measured against the one of 32 bits."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_core.errors import InputError
from fer_core.inference.bundle import INPUT_NAME, MODEL_FILE

_BATCH = 16


def quantise(folder: Path, calibration_faces: NDArray[np.float32]) -> bytes:
    """The network as an ONNX file with the same input and output, quantised statically (QDQ), per channel.

    It takes the `onnx` package, which exporting needs as well.

    Args:
        folder: of a bundle or finished run.
        calibration_faces: normalised by its contract, float32, shape (N, channels, size_px, size_px); the ranges of
            the activations are taken from them. Some hundreds of training faces do.
    Raises:
        InputError: there are no faces to calibrate with.
    """
    if not len(calibration_faces):
        raise InputError("There are no faces to take the ranges of the activations from. Give at least one.")
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    level = logging.root.level
    with TemporaryDirectory(prefix="ferscope-int8-") as temporary:
        prepared, made = Path(temporary) / "prepared.onnx", Path(temporary) / "int8.onnx"
        try:
            # Folds batch norms into the convolutions and gives every tensor a shape, which the ranges need.
            quant_pre_process(str(folder / MODEL_FILE), str(prepared), skip_symbolic_shape=True)
            quantize_static(
                str(prepared),
                str(made),
                _reader(calibration_faces),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
        finally:
            logging.root.setLevel(level)  # onnxruntime's quantisation changes it
        return made.read_bytes()


def _reader(faces: NDArray[np.float32]) -> Any:
    """The faces as onnxruntime's quantisation asks for them, a batch at a time."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def __init__(self) -> None:
            self._starts = iter(range(0, len(faces), _BATCH))

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            start = next(self._starts, None)
            return None if start is None else {INPUT_NAME: faces[start : start + _BATCH]}

    return Reader()
