from __future__ import annotations

import pytest
import torch
from torch import nn

from fer_core.training.config.optimization import OptimizerConfig
from fer_core.training.optimizer import build_ema, build_optimizer, l1_penalty, weight_matrices


def _weights_after_steps(config: OptimizerConfig, steps: int = 3) -> list[float]:
    """Values of a weight that starts at 1 with a constant gradient of 1."""
    network = nn.Linear(1, 1)
    _fill(network, 1)
    optimizer = build_optimizer(network, config)
    values = []
    for _ in range(steps):
        network.weight.grad = torch.ones(1, 1)
        optimizer.step()
        values.append(network.weight.item())
    return values


def test_each_optimizer_follows_its_formula() -> None:
    plain = OptimizerConfig(name="sgd", momentum=0, learning_rate=0.1, weight_decay=0)
    assert _weights_after_steps(plain) == pytest.approx([0.9, 0.8, 0.7])
    with_momentum = plain.model_copy(update={"momentum": 0.9, "nesterov": False})
    assert _weights_after_steps(with_momentum) == pytest.approx([0.9, 0.9 - 0.19, 0.9 - 0.19 - 0.271])
    assert _weights_after_steps(with_momentum.model_copy(update={"nesterov": True}))[0] == pytest.approx(1 - 0.19)
    for name in ("adam", "adamw"):
        assert _weights_after_steps(OptimizerConfig(name=name, learning_rate=0.1, weight_decay=0))[0] == pytest.approx(
            0.9
        )


def test_adamw_decouples_weight_decay_and_adam_does_not() -> None:
    decay = {"learning_rate": 0.1, "weight_decay": 0.5}
    assert _weights_after_steps(OptimizerConfig(name="adamw", **decay), 1) == pytest.approx([1 - 0.1 * 0.5 - 0.1])
    assert _weights_after_steps(OptimizerConfig(name="adam", **decay), 1) == pytest.approx([0.9])


def test_the_l1_penalty_is_the_norm_of_the_weight_matrices() -> None:
    network = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))
    _fill(network, -3)
    penalty = l1_penalty(weight_matrices(network))
    penalty.backward()  # type: ignore[no-untyped-call]
    assert penalty.item() == 6
    assert network[0].weight.grad.tolist() == [[-1, -1]]
    assert network[0].bias.grad is None


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_only_weight_matrices_decay(name: str) -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2))
    optimizer = build_optimizer(network, OptimizerConfig(name=name, weight_decay=0.01, learning_rate=0.2))
    decayed = {id(p) for group in optimizer.param_groups if group["weight_decay"] for p in group["params"]}
    assert decayed == {id(network[0].weight), id(network[3].weight)}
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(network.parameters()))
    assert {group["lr"] for group in optimizer.param_groups} == {0.2}


def test_frozen_weights_are_not_optimized() -> None:
    network = nn.Linear(2, 2)
    network.weight.requires_grad_(False)
    optimizer = build_optimizer(network, OptimizerConfig())
    assert [p for group in optimizer.param_groups for p in group["params"]] == [network.bias]


def _fill(network: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(value)


def test_the_ema_follows_its_formula() -> None:
    network = nn.Linear(2, 2)
    _fill(network, 0)
    ema = build_ema(network, 0.3)
    expected = 0.0
    for step, value in enumerate([1.0, 2.0, 3.0, 4.0, 5.0], 1):
        _fill(network, value)
        ema.update_parameters(network)
        decay = min(0.3, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
        assert ema.module.weight[0, 0].item() == pytest.approx(expected)
        assert network.weight[0, 0].item() == value


def test_the_ema_of_constant_weights_is_constant() -> None:
    network = nn.Linear(3, 2)
    ema = build_ema(network, 0.99)
    for _ in range(20):
        ema.update_parameters(network)
    torch.testing.assert_close(ema.module.weight, network.weight)


def test_the_ema_converges_to_new_weights() -> None:
    network = nn.Linear(1, 1)
    ema = build_ema(network, 0.9)
    _fill(network, 7)
    for _ in range(200):
        ema.update_parameters(network)
    assert ema.module.weight.item() == pytest.approx(7, abs=1e-3)


def test_batch_norm_statistics_are_averaged_and_counters_copied() -> None:
    network = nn.BatchNorm2d(2)
    ema = build_ema(network, 0.999)
    network.train()
    network(torch.randn(8, 2, 4, 4) * 3 + 5)
    ema.update_parameters(network)
    assert ema.module.num_batches_tracked == 1
    assert ema.module.running_mean.abs().sum() > 0
    assert not ema.module.training
    assert not any(parameter.requires_grad for parameter in ema.module.parameters())
