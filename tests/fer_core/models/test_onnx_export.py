from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from fer_core.errors import FerscopeError
from fer_core.labels import label_set
from fer_core.models import onnx_export
from fer_core.models.catalog import MODELS, model_info
from fer_core.models.registry import build_network

FOUR = label_set("four")


@pytest.mark.parametrize("name", list(MODELS))
def test_the_export_matches_pytorch(name: str) -> None:
    torch.manual_seed(0)
    info = MODELS[name]
    size = info.option("size_px")
    side = None if size is None else int(size.low)
    options: dict[str, object] = {} if info.weights is None else {"pretrained": False}
    network = build_network(info.name, 4, size_px=side, **options)
    contract = model_info(info.name).contract(FOUR, side)
    rng = np.random.default_rng(1)
    shape = (5, contract.channels, contract.size_px, contract.size_px)
    faces = contract.normalize(rng.uniform(0, 255, shape).astype(np.float32))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.from_numpy(faces))
    content = onnx_export.export_onnx(network, contract)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    torch_values = onnx_export.torch_logits(network, faces)
    assert np.ptp(torch_values, axis=0).max() > 1e-3, "the network does not look at its input"
    for rows in (slice(0, 5), slice(2, 3)):
        (onnx_values,) = session.run(["logits"], {"faces": faces[rows]})
        np.testing.assert_allclose(onnx_values, torch_values[rows], atol=1e-4 * max(1, np.abs(torch_values).max()))


def test_an_export_that_differs_from_pytorch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network, contract = build_network("small-resnet", 4, width=4), model_info("small-resnet").contract(FOUR)
    faces = contract.normalize(np.random.default_rng(2).uniform(0, 255, (6, 1, 48, 48)).astype(np.float32))
    logits = onnx_export.torch_logits(network, faces)

    def changed_logits(*_: object) -> np.ndarray:
        changed = logits.copy()
        changed[4, 2] += 0.02
        return changed

    monkeypatch.setattr(onnx_export, "torch_logits", changed_logits)
    with pytest.raises(FerscopeError, match=r"logit of sadness for face 5 of 6 .* difference of 2\.0e-02 .* 1e-04"):
        onnx_export.export_onnx(network, contract, faces)


def test_the_parity_check_uses_the_given_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = model_info("small-resnet").contract(FOUR)
    faces = contract.normalize(np.random.default_rng(2).uniform(0, 255, (1, 1, 48, 48)).astype(np.float32))
    checked_faces: list[np.ndarray] = []

    def record_faces(network: nn.Module, batch: np.ndarray) -> np.ndarray:
        checked_faces.append(batch)
        with torch.inference_mode():
            return network(torch.from_numpy(batch)).numpy()

    monkeypatch.setattr(onnx_export, "torch_logits", record_faces)
    content = onnx_export.export_onnx(build_network("small-resnet", 4, width=4), contract, faces)
    np.testing.assert_array_equal(checked_faces[0], faces)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert session.run(["logits"], {"faces": np.repeat(faces, 5, 0)})[0].shape == (5, 4)  # the batch size stays dynamic


@pytest.mark.parametrize(
    ("torch_values", "onnx_values", "relative"),
    [
        ([[0.0, 0.5]], [[0.0, 0.4]], 0.1),
        ([[100.0, 0.0]], [[100.0, 0.1]], 0.001),
        ([[1.0, 0.0], [2.0, 0.0]], [[1.0, 0.0], [2.0, np.nan]], np.inf),
    ],
    ids=["small logits by themselves", "beside a large one", "not a number"],
)
def test_differences_are_relative_to_the_largest_logit_of_the_face(
    torch_values: list[list[float]], onnx_values: list[list[float]], relative: float
) -> None:
    difference = onnx_export.largest_difference(np.array(torch_values), np.array(onnx_values, np.float32))
    assert difference.relative == pytest.approx(relative)
    assert (difference.face, difference.output) == (len(torch_values) - 1, 1)


def test_the_file_contains_no_local_paths() -> None:
    network = build_network("small-se-resnet", 4, width=4)
    content = onnx_export.export_onnx(network, model_info("small-se-resnet").contract(label_set("four")))
    for path in (Path(onnx_export.__file__).parents[2], Path(torch.__file__).parent, Path("site-packages")):
        assert str(path).encode() not in content
