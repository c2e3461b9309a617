"""A trained network as an ONNX file, checked against PyTorch before it is believed."""

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
"""Largest difference of a logit, as a share of the largest logit of its face where that is above 1: rounding grows with
the numbers that are added, and a mistake in the export is far above this."""

CHECK_FACES_MAX = 64
"""Real faces to check an export with, where there are so many."""

_NOISE_FACES = 3
_TRACED_FACES = 3
"""Faces the exporter looks at: more than one, or it would take the number of faces for a constant."""


@dataclass(frozen=True, slots=True)
class LogitDifference:
    """Where two networks' logits are furthest apart: on which face (from 0), which output, and both answers.

    `relative` is their difference as a share of the face's largest logit, or of 1 where that is smaller.
    """

    face: int
    output: int
    ours: float
    theirs: float
    relative: float

    def describe(self, faces: int, labels: tuple[Expression, ...]) -> str:
        """What differs, and by how much."""
        return (
            f"the logit of {labels[self.output]} for face {self.face + 1} of {faces} is {self.theirs:.6g} in ONNX "
            f"Runtime and {self.ours:.6g} in PyTorch: a difference of {self.relative:.1e} of the face's largest logit "
            f"(allowed {LOGIT_TOLERANCE:.0e})"
        )


def export_onnx(network: nn.Module, contract: Contract, probe: NDArray[np.float32] | None = None) -> bytes:
    """The network as ONNX: input `faces` (N, C, S, S) float32, normalized; output `logits` (N, classes).

    Args:
        network: left on the processor, in evaluation mode.
        contract: its input.
        probe: real faces to check with, normalized by the contract, shape (N, C, S, S); noise where there are none.
    Raises:
        FerscopeError: ONNX Runtime's logits differ from PyTorch's; the message says which and by how much.
    """
    network = network.cpu().eval().to(memory_format=torch.contiguous_format)
    faces = probe if probe is not None and len(probe) else _noise(contract)
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
    """A network's logits, computed in float64: shape (N, classes). It stays in evaluation mode.

    In float32 PyTorch's rounding is as large as ONNX Runtime's and depends on the processor: for a deep network both
    together pass `LOGIT_TOLERANCE`, though either is right.

    Args:
        faces: normalized by the contract, shape (N, C, S, S).
    """
    exact = copy.deepcopy(network.cpu().eval()).double()
    with torch.inference_mode():
        logits: NDArray[np.float64] = exact(torch.from_numpy(np.ascontiguousarray(faces)).double()).numpy()
    return logits


def largest_difference(ours: NDArray[np.float64], theirs: NDArray[np.float32]) -> LogitDifference:
    """Where PyTorch's logits and ONNX Runtime's differ most; both of shape (N, classes), N above 0."""
    scale = np.maximum(1.0, np.abs(ours).max(1, keepdims=True))
    gaps = np.nan_to_num(np.abs(ours - theirs) / scale, nan=np.inf)
    face, output = divmod(int(gaps.argmax()), ours.shape[1])
    values = float(ours[face, output]), float(theirs[face, output])
    return LogitDifference(face, output, *values, relative=float(gaps[face, output]))


def _without_traces(path: Path) -> bytes:
    """The file without the exporter's notes on each node: they name the files of the machine that it ran on."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    for noted in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del noted.metadata_props[:]
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _noise(contract: Contract) -> NDArray[np.float32]:
    shape = (_NOISE_FACES, contract.channels, contract.size_px, contract.size_px)
    noise: NDArray[np.float32] = contract.normalize(np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32))
    return noise


def _check(content: bytes, network: nn.Module, faces: NDArray[np.float32], contract: Contract) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (theirs,) = session.run(["logits"], {"faces": faces})
    worst = largest_difference(torch_logits(network, faces), theirs)
    if worst.relative > LOGIT_TOLERANCE:
        said = worst.describe(len(faces), contract.labels)
        raise FerscopeError(
            f"The ONNX export does not compute what the network does: {said}. The weights are kept; "
            "export with the versions of torch and onnxruntime in requirements.txt."
        )
