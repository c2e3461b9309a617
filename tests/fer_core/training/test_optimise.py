from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from fer_core.training.config import OptimiserConfig
from fer_core.training.optimise import AveragedWeights, make_optimiser, rate_factor


def test_one_cycle_rises_over_a_tenth_and_falls_to_nothing() -> None:
    config = OptimiserConfig(schedule="one_cycle")
    factors = [rate_factor(config, step, 1000) for step in range(1001)]
    assert factors[0] == pytest.approx(0.04)
    assert factors.index(max(factors)) == 100
    assert max(factors) == pytest.approx(1)
    assert all(a < b for a, b in pairwise(factors[:101]))
    assert all(a > b for a, b in pairwise(factors[100:]))
    assert factors[550] == pytest.approx(0.5)
    assert factors[-1] == pytest.approx(0, abs=1e-9)


def test_a_constant_rate_is_constant() -> None:
    config = OptimiserConfig(schedule="constant")
    assert {rate_factor(config, step, 10) for step in range(11)} == {1.0}


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_the_shortest_training_has_a_rate(steps: int) -> None:
    assert 0 <= rate_factor(OptimiserConfig(), 0, steps) <= 1


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_only_weights_of_layers_decay(name: str) -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2))
    optimiser = make_optimiser(network, OptimiserConfig(name=name, weight_decay=0.01, learning_rate=0.2))
    decayed = {id(p) for group in optimiser.param_groups if group["weight_decay"] for p in group["params"]}
    assert decayed == {id(network[0].weight), id(network[3].weight)}
    assert sum(len(group["params"]) for group in optimiser.param_groups) == len(list(network.parameters()))
    assert {group["lr"] for group in optimiser.param_groups} == {0.2}


def test_frozen_weights_are_left_alone() -> None:
    network = nn.Linear(2, 2)
    network.weight.requires_grad_(False)
    optimiser = make_optimiser(network, OptimiserConfig())
    assert [p for group in optimiser.param_groups for p in group["params"]] == [network.bias]


def _set(network: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(value)


def test_the_average_follows_the_formula() -> None:
    network = nn.Linear(2, 2)
    _set(network, 0)
    averaged = AveragedWeights(network, 0.3)
    expected = 0.0
    for step, value in enumerate([1.0, 2.0, 3.0, 4.0, 5.0], 1):
        _set(network, value)
        averaged.update(network)
        decay = min(0.3, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
        assert averaged.network.weight[0, 0].item() == pytest.approx(expected)
        assert network.weight[0, 0].item() == value


def test_the_average_of_what_stays_is_what_stays() -> None:
    network = nn.Linear(3, 2)
    averaged = AveragedWeights(network, 0.99)
    for _ in range(20):
        averaged.update(network)
    torch.testing.assert_close(averaged.network.weight, network.weight)


def test_the_average_settles_on_new_weights() -> None:
    network = nn.Linear(1, 1)
    averaged = AveragedWeights(network, 0.9)
    _set(network, 7)
    for _ in range(200):
        averaged.update(network)
    assert averaged.network.weight.item() == pytest.approx(7, abs=1e-3)


def test_the_statistics_of_batch_norm_are_averaged_and_counters_copied() -> None:
    network = nn.BatchNorm2d(2)
    averaged = AveragedWeights(network, 0.999)
    network.train()
    network(torch.randn(8, 2, 4, 4) * 3 + 5)
    averaged.update(network)
    assert averaged.network.num_batches_tracked == 1
    assert averaged.network.running_mean.abs().sum() > 0
    assert not averaged.network.training
    assert not any(parameter.requires_grad for parameter in averaged.network.parameters())
