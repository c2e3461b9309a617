"""Properties of our own networks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision.models
from torch import nn

from fer_core.errors import InputError
from fer_core.models.flops import multiply_adds
from fer_core.models.registry import build_network, trainable_parameter_count
from fer_core.models.unet import UNetClassifier
from fer_core.models.weights_file import load_weights

STUDY_A = {
    "conv1": (12, 3, 3, 3),
    "conv2": (12, 12, 3, 3),
    "conv3": (24, 12, 3, 3),
    "conv4": (24, 24, 3, 3),
    "conv5": (24, 24, 3, 3),
    "fc": (8, 4704),
}


def _study_a() -> dict[str, torch.Tensor]:
    """A state dict with the names and shapes that study A published."""
    state = {}
    for name, shape in STUDY_A.items():
        state[f"{name}.weight"] = torch.randn(shape) * 0.05
        state[f"{name}.bias"] = torch.randn(shape[0]) * 0.05
    return state


def _study_a_logits(state: dict[str, torch.Tensor], faces: torch.Tensor) -> torch.Tensor:
    """Its forward pass written from the report, layer by layer."""
    features = faces
    for layer in range(1, 6):
        features = nn.functional.conv2d(features, state[f"conv{layer}.weight"], state[f"conv{layer}.bias"], padding=1)
        features = features.clamp(min=0)
        if layer < 5:
            features = nn.functional.max_pool2d(features, 2, 2)
    return features.reshape(len(faces), -1) @ state["fc.weight"].T + state["fc.bias"]


def test_study_as_checkpoint_gives_the_reported_logits(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = _study_a()
    torch.save(state, tmp_path / "model.pt")
    network = build_network("shallow-cnn", 8).eval()
    load_weights(network, tmp_path / "model.pt")
    faces = torch.rand(2, 3, 224, 224) * 255
    with torch.inference_mode():
        torch.testing.assert_close(network(faces), _study_a_logits(state, faces), rtol=1e-4, atol=1e-3)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    network = build_network("shallow-cnn", 8)
    path = tmp_path / "model.pt"
    torch.save({name: value for name, value in _study_a().items() if not name.startswith("fc")}, path)
    with pytest.raises(InputError, match=r"lacks fc\.bias, fc\.weight"):
        load_weights(network, path)
    torch.save({**_study_a(), "conv6.bias": torch.zeros(1)}, path)
    with pytest.raises(InputError, match=r"has conv6\.bias as well"):
        load_weights(network, path)
    torch.save(_study_a(), path)
    with pytest.raises(InputError, match=r"fc\.weight has the shape \(8, 4704\) where \(7, 4704\)|fc\.bias has"):
        load_weights(build_network("shallow-cnn", 7), path)


def test_the_regularized_cnn_has_study_as_layers_with_batch_norm() -> None:
    plain, regularized = build_network("shallow-cnn", 8), build_network("regularized-cnn", 8)
    for name, shape in STUDY_A.items():
        assert tuple(plain.get_submodule(name).weight.shape) == shape
        assert tuple(regularized.get_submodule(name).weight.shape) == shape
    assert sum(isinstance(module, nn.BatchNorm2d) for module in regularized.modules()) == 5


def test_dropout_and_drop_block_act_in_training_only() -> None:
    faces = torch.rand(2, 3, 48, 48) * 255
    for options in ({"dropout_01": 0.5, "drop_block_01": 0.0}, {"dropout_01": 0.0, "drop_block_01": 0.3}):
        network = build_network("regularized-cnn", 8, size_px=48, **options)
        assert not torch.equal(network.train()(faces), network(faces))
        assert torch.equal(network.eval()(faces), network(faces))


def test_squeeze_and_excitation_is_the_only_difference_between_the_residual_networks() -> None:
    plain, se_network = (build_network(name, 8, width=16) for name in ("small-resnet", "small-se-resnet"))
    se_parameters = {name for name in se_network.state_dict() if ".excite." in name}
    assert len(se_parameters) == 8 * 4
    assert set(plain.state_dict()) == set(se_network.state_dict()) - se_parameters
    assert trainable_parameter_count(se_network) == 712_472


@pytest.mark.parametrize(("width", "millions"), [(16, 0.7), (24, 1.6)])
def test_residual_networks_have_their_stated_size(width: int, millions: float) -> None:
    for name in ("small-resnet", "small-se-resnet"):
        assert trainable_parameter_count(build_network(name, 8, width=width)) / 1e6 == pytest.approx(millions, abs=0.05)


def test_the_halved_network_has_its_first_stage_at_half_resolution() -> None:
    """So it costs less than the four stages of the same width, and has all but their first stage's parameters."""
    halved, full = (build_network(name, 8, width=32) for name in ("halved-se-resnet", "small-se-resnet"))
    sides: list[int] = []
    assert isinstance(halved.blocks, nn.Sequential)
    for block in halved.blocks:
        block.register_forward_hook(lambda module, inputs, output: sides.append(output.shape[-1]))
    halved.eval()(torch.zeros(1, 1, 48, 48))
    assert sides == [24, 24, 12, 12, 6, 6]
    assert 0.97 < trainable_parameter_count(halved) / trainable_parameter_count(full) < 1
    flops = [multiply_adds(network, 1, 48) for network in (halved, full)]
    assert flops[0] < 0.8 * flops[1]


def test_the_unet_decoder_sees_the_whole_face() -> None:
    """One changed pixel in a corner changes the decoder's finest map in the opposite corner."""
    torch.manual_seed(0)
    network = UNetClassifier(1, 4, width=8, dropout_01=0.0).eval()
    decoder_outputs: list[torch.Tensor] = []
    network.up[-1].register_forward_hook(lambda module, inputs, output: decoder_outputs.append(output))
    faces = torch.rand(1, 1, 48, 48)
    changed = faces.clone()
    changed[0, 0, 10, 10] += 10
    with torch.inference_mode():
        network(faces)
        network(changed)
    assert decoder_outputs[0].shape == (1, 8, 48, 48)
    changed_pixels = (decoder_outputs[0] - decoder_outputs[1]).abs().amax((0, 1)) > 0
    assert changed_pixels[28:34, 28:34].any()
    with torch.inference_mode():
        assert network(torch.rand(1, 1, 45, 50)).shape == (1, 4)


def test_the_fer2013_networks_have_torchvisions_layers() -> None:
    with torch.device("meta"):
        vgg, resnet = build_network("vgg19-48", 7, channels=3), build_network("resnet18-48", 7, channels=3)
        reference_vgg, reference_resnet = torchvision.models.vgg19_bn(), torchvision.models.resnet18()
    assert [tuple(parameter.shape) for parameter in vgg.features.parameters()] == [
        tuple(parameter.shape) for parameter in reference_vgg.features.parameters()
    ]
    assert vgg.classifier.weight.shape == (7, 512)
    stem_difference = 64 * 3 * (7 * 7 - 3 * 3)
    head_difference = 1000 * 513 - 7 * 513
    assert (
        trainable_parameter_count(resnet)
        == trainable_parameter_count(reference_resnet) - stem_difference - head_difference
    )


def test_study_cs_head_is_on_top_of_vgg16() -> None:
    with torch.device("meta"):
        network = build_network("vgg16", 3, pretrained=False)
        reference = torchvision.models.vgg16()
    names = [name for name in reference.state_dict() if name.startswith("features.")]
    assert [name for name in network.state_dict() if name.startswith("features.")] == names
    assert (network.hidden.in_features, network.hidden.out_features) == (7 * 7 * 512, 128)
    assert (network.dropout.p, network.head.out_features) == (0.1, 3)
