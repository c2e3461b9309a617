"""A trained network as an ONNX file, checked against PyTorch before it is believed."""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fer_core.contract import Contract
from fer_core.errors import FerscopeError

_AGREE_WITHIN = 1e-3


def export_onnx(network: nn.Module, contract: Contract) -> bytes:
    """The network as ONNX: input `faces` (N, C, S, S) float32, normalised; output `logits` (N, classes).

    Raises:
        FerscopeError: ONNX Runtime's logits differ from PyTorch's by more than 1e-3.
    """
    network = network.cpu().eval().to(memory_format=torch.contiguous_format)
    shape = (3, contract.channels, contract.size_px, contract.size_px)
    rng = np.random.default_rng(0)
    probe = contract.normalise(rng.uniform(0, 255, shape).astype(np.float32))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecations
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            network,
            (torch.from_numpy(probe),),
            str(path),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("faces", min=1, max=65_536)},),
            input_names=["faces"],
            output_names=["logits"],
            external_data=False,
            verbose=False,
        )
        content = path.read_bytes()
    _check(content, probe, network)
    return content


def _check(content: bytes, probe: np.ndarray[tuple[int, ...], np.dtype[np.float32]], network: nn.Module) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (theirs,) = session.run(["logits"], {"faces": probe})
    with torch.inference_mode():
        ours = network(torch.from_numpy(probe)).numpy()
    worst = float(np.abs(ours - theirs).max()) / max(1.0, float(np.abs(ours).max()))
    if worst > _AGREE_WITHIN:
        raise FerscopeError(f"The ONNX export differs from PyTorch by {worst:.2g}; the limit is {_AGREE_WITHIN}.")
