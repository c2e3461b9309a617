"""Flip test-time augmentation in PyTorch and in the ONNX export."""

from __future__ import annotations

import copy

import numpy as np
import onnxruntime
import torch
from torch import nn

from fer_core.labels import label_set
from fer_core.models.catalog import model_info
from fer_core.models.flip_tta import add_flip_tta
from fer_core.models.multi_task_head import with_affect_outputs
from fer_core.models.onnx_export import export_onnx
from fer_core.models.registry import build_network

NAME = "small-se-resnet"
FACES = torch.rand(5, 1, 48, 48, generator=torch.Generator().manual_seed(3))


def plain_and_flip_tta(*, affect: bool = False) -> tuple[nn.Module, nn.Module]:
    """A network and its copy with flip TTA."""
    torch.manual_seed(0)
    plain = build_network(NAME, 4, width=4, affect=affect).eval()
    with_tta = copy.deepcopy(plain)
    add_flip_tta(with_tta)
    return plain, with_tta


def test_the_output_is_the_mean_of_both_passes() -> None:
    plain, with_tta = plain_and_flip_tta()
    expected = (plain(FACES) + plain(FACES.flip(-1))) / 2
    torch.testing.assert_close(with_tta(FACES), expected)
    torch.testing.assert_close(with_tta(FACES.flip(-1)), expected)
    assert (plain(FACES) - expected).abs().max() > 1e-4


def test_flip_tta_is_off_in_training_and_keeps_parameter_names() -> None:
    plain, with_tta = (network.train() for network in plain_and_flip_tta())
    torch.manual_seed(1)
    expected = plain(FACES)
    torch.manual_seed(1)
    torch.testing.assert_close(with_tta(FACES), expected)
    assert list(plain.state_dict()) == list(with_tta.state_dict())


def test_a_copy_keeps_flip_tta() -> None:
    _, with_tta = plain_and_flip_tta()
    torch.testing.assert_close(copy.deepcopy(with_tta)(FACES), with_tta(FACES))


def test_affect_outputs_are_averaged() -> None:
    plain, with_tta = plain_and_flip_tta(affect=True)
    with with_affect_outputs(plain), with_affect_outputs(with_tta):
        expected = [(a + b) / 2 for a, b in zip(plain(FACES), plain(FACES.flip(-1)), strict=True)]
        for affect_output, mean in zip(with_tta(FACES), expected, strict=True):
            torch.testing.assert_close(affect_output, mean)


def test_the_export_has_both_passes_for_any_batch_size() -> None:
    _, with_tta = plain_and_flip_tta()
    content = export_onnx(with_tta, model_info(NAME).contract(label_set("four")), FACES.numpy())
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for count in (1, 2, 5):
        faces = FACES[:count].numpy()
        (logits,) = session.run(["logits"], {"faces": faces})
        (flipped,) = session.run(["logits"], {"faces": np.ascontiguousarray(faces[..., ::-1])})
        np.testing.assert_allclose(logits, flipped, atol=1e-5)
        np.testing.assert_allclose(logits, with_tta(FACES[:count]).detach().numpy(), atol=1e-4)
