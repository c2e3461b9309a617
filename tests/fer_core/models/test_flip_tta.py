"""Answers for a face and its mirror image: their mean outside training, in PyTorch and in the export."""

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


def both(*, affect: bool = False) -> tuple[nn.Module, nn.Module]:
    """A network, and the same one that looks into the mirror too."""
    torch.manual_seed(0)
    plain = build_network(NAME, 4, width=4, affect=affect).eval()
    mirrored = copy.deepcopy(plain)
    add_flip_tta(mirrored)
    return plain, mirrored


def test_the_answer_is_the_mean_of_the_two() -> None:
    plain, mirrored = both()
    expected = (plain(FACES) + plain(FACES.flip(-1))) / 2
    torch.testing.assert_close(mirrored(FACES), expected)
    torch.testing.assert_close(mirrored(FACES.flip(-1)), expected)
    assert (plain(FACES) - expected).abs().max() > 1e-4


def test_training_sees_the_images_alone_and_the_weights_keep_their_names() -> None:
    plain, mirrored = (network.train() for network in both())
    torch.manual_seed(1)
    expected = plain(FACES)
    torch.manual_seed(1)
    torch.testing.assert_close(mirrored(FACES), expected)
    assert list(plain.state_dict()) == list(mirrored.state_dict())


def test_a_copy_looks_into_the_mirror_too() -> None:
    _, mirrored = both()
    torch.testing.assert_close(copy.deepcopy(mirrored)(FACES), mirrored(FACES))


def test_valence_and_arousal_are_means_too() -> None:
    plain, mirrored = both(affect=True)
    with with_affect_outputs(plain), with_affect_outputs(mirrored):
        expected = [(a + b) / 2 for a, b in zip(plain(FACES), plain(FACES.flip(-1)), strict=True)]
        for found, mean in zip(mirrored(FACES), expected, strict=True):
            torch.testing.assert_close(found, mean)


def test_the_export_has_both_passes_for_any_number_of_faces() -> None:
    _, mirrored = both()
    content = export_onnx(mirrored, model_info(NAME).contract(label_set("four")), FACES.numpy())
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for count in (1, 2, 5):
        faces = FACES[:count].numpy()
        (logits,) = session.run(["logits"], {"faces": faces})
        (flipped,) = session.run(["logits"], {"faces": np.ascontiguousarray(faces[..., ::-1])})
        np.testing.assert_allclose(logits, flipped, atol=1e-5)
        np.testing.assert_allclose(logits, mirrored(FACES[:count]).detach().numpy(), atol=1e-4)
