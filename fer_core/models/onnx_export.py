"""Export a network to ONNX and verify it against PyTorch."""

from __future__ import annotations

import copy
import logging
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fer_core.contract import Contract
from fer_core.errors import FerscopeError
from fer_core.labels import Expression

LOGIT_TOLERANCE = 1e-4
"""Largest difference of a logit relative to the face's largest logit or 1. Rounding errors grow with the logits; a
wrong export differs far more."""

CHECK_FACES_MAX = 64
"""Maximum number of real faces to verify an export with."""

_NOISE_FACES = 3
_TRACED_FACES = 3
"""More than one, or the exporter would treat the batch size as a constant."""


@dataclass(frozen=True, slots=True)
class LogitDifference:
    """The largest difference between two networks' logits.

    Attributes:
        face, output: its position.
        relative: relative to the face's largest logit, or to 1 if that is smaller.
    """

    face: int
    output: int
    torch_logit: float
    onnx_logit: float
    relative: float

    def describe(self, faces: int, labels: tuple[Expression, ...]) -> str:
        """Describe the difference."""
        return (
            f"the logit of {labels[self.output]} for face {self.face + 1} of {faces} is {self.onnx_logit:.6g} in ONNX "
            f"Runtime and {self.torch_logit:.6g} in PyTorch: a difference of {self.relative:.1e} "
            f"of the face's largest logit (allowed {LOGIT_TOLERANCE:.0e})"
        )


def export_onnx(network: nn.Module, contract: Contract, check_faces: NDArray[np.float32] | None = None) -> bytes:
    """Export a network: input `faces` (N, C, S, S) float32, normalized; output `logits` (N, classes).

    Args:
        network: moved to the CPU and to evaluation mode.
        check_faces: real faces to verify it with, normalized, shape (N, C, S, S); noise by default.
    Raises:
        FerscopeError: ONNX Runtime's logits differ from PyTorch's; the message says which and by how much.
    """
    network = network.cpu().eval().to(memory_format=torch.contiguous_format)
    faces = check_faces if check_faces is not None and len(check_faces) else _noise(contract)
    traced = np.resize(faces, (_TRACED_FACES, *faces.shape[1:]))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecations
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            network,
            (torch.from_numpy(traced),),
            str(path),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("faces", min=1, max=65_536)},),
            input_names=["faces"],
            output_names=["logits"],
            external_data=False,
            verbose=False,
        )
        content = _without_traces(path)
    _check(content, network, faces, contract)
    return content


def torch_logits(network: nn.Module, faces: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute a network's logits in float64, shape (N, classes), in evaluation mode.

    In float32, the rounding errors of PyTorch and ONNX Runtime together can exceed `LOGIT_TOLERANCE`.

    Args:
        faces: normalized, shape (N, C, S, S).
    """
    exact = copy.deepcopy(network.cpu().eval()).double()
    with torch.inference_mode():
        logits: NDArray[np.float64] = exact(torch.from_numpy(np.ascontiguousarray(faces)).double()).numpy()
    return logits


def largest_difference(torch_logits: NDArray[np.float64], onnx_logits: NDArray[np.float32]) -> LogitDifference:
    """Find the largest difference between PyTorch's and ONNX Runtime's logits, shape (N, classes), N > 0."""
    scale = np.maximum(1.0, np.abs(torch_logits).max(1, keepdims=True))
    gaps = np.nan_to_num(np.abs(torch_logits - onnx_logits) / scale, nan=np.inf)
    face, output = divmod(int(gaps.argmax()), torch_logits.shape[1])
    values = float(torch_logits[face, output]), float(onnx_logits[face, output])
    return LogitDifference(face, output, *values, relative=float(gaps[face, output]))


def _without_traces(path: Path) -> bytes:
    """Remove the exporter's notes, which contain paths of this machine; returns the file's content."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _noise(contract: Contract) -> NDArray[np.float32]:
    shape = (_NOISE_FACES, contract.channels, contract.size_px, contract.size_px)
    noise: NDArray[np.float32] = contract.normalize(np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32))
    return noise


def _check(content: bytes, network: nn.Module, faces: NDArray[np.float32], contract: Contract) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (onnx_logits,) = session.run(["logits"], {"faces": faces})
    worst = largest_difference(torch_logits(network, faces), onnx_logits)
    if worst.relative > LOGIT_TOLERANCE:
        raise FerscopeError(
            f"The ONNX export differs from the network: {worst.describe(len(faces), contract.labels)}. The weights are "
            "kept; export with the versions of torch and onnxruntime in requirements.txt."
        )
