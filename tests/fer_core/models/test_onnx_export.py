from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from fer_core.errors import FerscopeError
from fer_core.labels import label_set
from fer_core.models import onnx_export
from fer_core.models.catalog import MODELS, ModelInfo
from fer_core.models.registry import build_network, contract_of

FOUR = label_set("four")


@pytest.mark.parametrize("info", MODELS.values(), ids=list(MODELS))
def test_the_export_predicts_what_pytorch_does(info: ModelInfo) -> None:
    torch.manual_seed(0)
    size = info.option("size_px")
    side = None if size is None else int(size.low)
    options: dict[str, object] = {} if info.weights is None else {"pretrained": False}
    network = build_network(info.name, 4, size_px=side, **options)
    contract = contract_of(info.name, FOUR, side)
    rng = np.random.default_rng(1)
    shape = (5, contract.channels, contract.size_px, contract.size_px)
    faces = contract.normalise(rng.uniform(0, 255, shape).astype(np.float32))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.from_numpy(faces))
    content = onnx_export.export_onnx(network, contract)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        ours = network.eval()(torch.from_numpy(faces)).numpy()
    assert np.ptp(ours, axis=0).max() > 1e-3, "the network does not look at its input"
    for rows in (slice(0, 5), slice(2, 3)):
        (theirs,) = session.run(["logits"], {"faces": faces[rows]})
        np.testing.assert_allclose(theirs, ours[rows], atol=1e-4 * max(1, np.abs(ours).max()))


def test_an_export_that_differs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "_AGREE_WITHIN", -1.0)
    with pytest.raises(FerscopeError, match="differs from PyTorch"):
        onnx_export.export_onnx(build_network("small-resnet", 4, width=4), contract_of("small-resnet", FOUR))
