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
def test_the_export_predicts_what_pytorch_does(name: str) -> None:
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
    ours = onnx_export.torch_logits(network, faces)
    assert np.ptp(ours, axis=0).max() > 1e-3, "the network does not look at its input"
    for rows in (slice(0, 5), slice(2, 3)):
        (theirs,) = session.run(["logits"], {"faces": faces[rows]})
        np.testing.assert_allclose(theirs, ours[rows], atol=1e-4 * max(1, np.abs(ours).max()))


def test_an_export_that_differs_is_refused_with_what_and_by_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    network, contract = build_network("small-resnet", 4, width=4), model_info("small-resnet").contract(FOUR)
    faces = contract.normalize(np.random.default_rng(2).uniform(0, 255, (6, 1, 48, 48)).astype(np.float32))
    answers = onnx_export.torch_logits(network, faces)

    def answers_of_another(*_: object) -> np.ndarray:
        changed = answers.copy()
        changed[4, 2] += 0.02
        return changed

    monkeypatch.setattr(onnx_export, "torch_logits", answers_of_another)
    with pytest.raises(FerscopeError, match=r"logit of sadness for face 5 of 6 .* difference of 2\.0e-02 .* 1e-04"):
        onnx_export.export_onnx(network, contract, faces)


def test_the_check_looks_at_the_faces_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = model_info("small-resnet").contract(FOUR)
    faces = contract.normalize(np.random.default_rng(2).uniform(0, 255, (1, 1, 48, 48)).astype(np.float32))
    seen: list[np.ndarray] = []

    def noted(network: nn.Module, given: np.ndarray) -> np.ndarray:
        seen.append(given)
        with torch.inference_mode():
            return network(torch.from_numpy(given)).numpy()

    monkeypatch.setattr(onnx_export, "torch_logits", noted)
    content = onnx_export.export_onnx(build_network("small-resnet", 4, width=4), contract, faces)
    np.testing.assert_array_equal(seen[0], faces)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert session.run(["logits"], {"faces": np.repeat(faces, 5, 0)})[0].shape == (5, 4)  # one face fixes no number


@pytest.mark.parametrize(
    ("ours", "theirs", "relative"),
    [
        ([[0.0, 0.5]], [[0.0, 0.4]], 0.1),
        ([[100.0, 0.0]], [[100.0, 0.1]], 0.001),
        ([[1.0, 0.0], [2.0, 0.0]], [[1.0, 0.0], [2.0, np.nan]], np.inf),
    ],
    ids=["small logits by themselves", "beside a large one", "not a number"],
)
def test_a_difference_counts_by_the_faces_largest_logit(
    ours: list[list[float]], theirs: list[list[float]], relative: float
) -> None:
    found = onnx_export.largest_difference(np.array(ours), np.array(theirs, np.float32))
    assert found.relative == pytest.approx(relative)
    assert (found.face, found.output) == (len(ours) - 1, 1)


def test_the_file_names_nothing_of_the_machine_that_made_it() -> None:
    network = build_network("small-se-resnet", 4, width=4)
    content = onnx_export.export_onnx(network, model_info("small-se-resnet").contract(label_set("four")))
    for there in (Path(onnx_export.__file__).parents[2], Path(torch.__file__).parent, Path("site-packages")):
        assert str(there).encode() not in content
