from __future__ import annotations

import copy

import pytest
import torch

from fer_core.labels import label_set
from fer_core.models.catalog import MODELS, ModelInfo, model_info
from fer_core.models.multi_task_head import MultiTaskHead, with_affect_outputs
from fer_core.models.onnx_export import export_onnx
from fer_core.models.registry import build_network, get_architecture


@pytest.mark.parametrize("info", MODELS.values(), ids=list(MODELS))
def test_every_network_supports_a_second_head(info: ModelInfo) -> None:
    options = {} if info.weights is None else {"pretrained": False}
    with torch.device("meta"):
        network = build_network(info.name, 8, affect=True, **options)
        faces = torch.zeros(2, info.channels, info.size_px, info.size_px)
        logits, affect = network.train()(faces)
        assert (logits.shape, affect.shape) == ((2, 8), (2, 2))
        assert network.eval()(faces).shape == (2, 8)
    plain = build_network("small-resnet", 8)
    has_head = [any(isinstance(module, MultiTaskHead) for module in model.modules()) for model in (network, plain)]
    assert has_head == [True, False]


def test_affect_is_bounded_and_trained_with_the_expressions() -> None:
    torch.manual_seed(0)
    network = build_network("small-resnet", 4, width=4, affect=True).train()
    logits, affect = network(100 * torch.randn(8, 1, 48, 48))
    assert affect.abs().max() <= 1
    (logits.square().mean() + affect.square().mean()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_affect_is_returned_in_evaluation_on_request() -> None:
    network = build_network("small-resnet", 4, width=4, affect=True).eval()
    faces = torch.randn(3, 1, 48, 48)
    with torch.inference_mode():
        plain_logits = network(faces)
        with with_affect_outputs(network):
            logits, affect = network(faces)
        copied_logits = copy.deepcopy(network)(faces)
    assert torch.equal(plain_logits, logits)
    assert torch.equal(plain_logits, copied_logits)
    assert affect.shape == (3, 2)


def test_the_export_has_only_the_logits() -> None:
    import onnxruntime

    network = build_network("small-resnet", 4, width=4, affect=True).train()
    content = export_onnx(network, model_info("small-resnet").contract(label_set("four")))
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["logits"]


def test_the_registry_names_the_head() -> None:
    network = build_network("shallow-cnn", 8)
    assert network.get_submodule(get_architecture("shallow-cnn").head) is network.fc
