from __future__ import annotations

import pytest
import torch
import torchvision.models
from torch import nn

from fer_core.models.flops import multiply_adds
from fer_core.models.registry import build_network, trainable_parameter_count
from tests.support.step_memory import measure_step_memory

FLOAT = 4


def test_convolution_and_linear_layers_match_manual_counts() -> None:
    network = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 8 * 8, 7))
    assert multiply_adds(network, 3, 8) == 8 * 8 * 5 * 3 * 3 * 3 + 5 * 8 * 8 * 7
    assert trainable_parameter_count(network) == 5 * 3 * 9 + 5 + 5 * 8 * 8 * 7 + 7


def test_strides_groups_and_transposed_convolutions_match_manual_counts() -> None:
    assert multiply_adds(nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=4), 4, 8) == 4 * 4 * 8 * 9
    assert multiply_adds(nn.ConvTranspose2d(4, 6, 2, stride=2), 4, 8) == 8 * 8 * 4 * 6 * 4
    shared = nn.Conv2d(2, 2, 1)
    assert multiply_adds(nn.Sequential(shared, shared), 2, 4) == 2 * 4 * 4 * 2 * 2


@pytest.mark.parametrize("name", ["resnet18", "vgg16", "mobilenet_v3_small", "efficientnet_b0", "convnext_tiny"])
def test_counts_match_torchvisions_metadata(name: str) -> None:
    published = torchvision.models.get_model_weights(name).DEFAULT.meta
    with torch.device("meta"):
        network = torchvision.models.get_model(name, weights=None)
    assert trainable_parameter_count(network) == published["num_params"]
    assert multiply_adds(network, 3, 224) / 1e9 == pytest.approx(published["_ops"], abs=0.003)


def test_counting_leaves_the_network_unchanged() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    network[1].eval()
    state_before = {name: value.clone() for name, value in network.state_dict().items()}
    multiply_adds(network, 1, 8)
    measure_step_memory(network, 1, 8, 4)
    assert [module.training for module in network] == [True, False]
    assert all(torch.equal(value, state_before[name]) for name, value in network.state_dict().items())
    assert not network[0]._forward_hooks


def test_measuring_memory_leaves_the_random_state_unchanged() -> None:
    network = build_network("small-resnet", 8, width=4, dropout_01=0.5)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    measure_step_memory(network, 1, 48, 8)
    assert torch.equal(torch.rand(3), expected)


def test_memory_of_a_small_network_matches_a_manual_count() -> None:
    """Both convolutions store their inputs; the ReLU's output is the input of the second one."""
    network = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 2, 3, padding=1))
    memory = measure_step_memory(network, 1, 8, 10, copies=2)
    parameters = 3 * 9 + 3 + 2 * 3 * 9 + 2
    assert memory.weights == memory.gradients == parameters * FLOAT
    assert memory.optimizer == 2 * memory.gradients
    assert memory.activations == 10 * 8 * 8 * (1 + 3) * FLOAT
    assert memory.total == memory.weights + memory.gradients + memory.optimizer + memory.activations


def test_memory_grows_with_the_batch_and_shrinks_with_the_precision() -> None:
    network = build_network("small-se-resnet", 8, width=8)
    by_batch = [measure_step_memory(network, 1, 48, batch).activations for batch in (16, 32, 64)]
    assert by_batch[2] - by_batch[1] == 2 * (by_batch[1] - by_batch[0]) > 0
    bf16_memory = measure_step_memory(network, 1, 48, 64, precision="bf16")
    assert 0.4 < bf16_memory.activations / by_batch[2] < 0.75
    assert bf16_memory.weights == measure_step_memory(network, 1, 48, 64).weights


def test_a_frozen_network_stores_few_gradients_and_activations() -> None:
    network = build_network("mobilenet-v3-small", 8, pretrained=False)
    trainable_memory = measure_step_memory(network, 3, 64, 8)
    network.features.requires_grad_(False)
    frozen_memory = measure_step_memory(network, 3, 64, 8)
    assert frozen_memory.weights == trainable_memory.weights
    assert frozen_memory.gradients == (1024 * 8 + 8) * FLOAT
    assert frozen_memory.activations < trainable_memory.activations / 50
