from __future__ import annotations

from itertools import pairwise

import pytest

from fer_core.training.config.optimization import OptimizerConfig
from fer_core.training.early_stopping import EarlyStopping
from fer_core.training.schedule import ReduceOnPlateau, learning_rate_factor


def test_one_cycle_rises_for_a_tenth_and_falls_to_zero() -> None:
    config = OptimizerConfig(schedule="one_cycle")
    factors = [learning_rate_factor(config, step, 1000) for step in range(1001)]
    assert factors[0] == pytest.approx(0.04)
    assert factors.index(max(factors)) == 100
    assert max(factors) == pytest.approx(1)
    assert all(a < b for a, b in pairwise(factors[:101]))
    assert all(a > b for a, b in pairwise(factors[100:]))
    assert factors[550] == pytest.approx(0.5)
    assert factors[-1] == pytest.approx(0, abs=1e-9)


def test_a_constant_schedule_is_constant() -> None:
    config = OptimizerConfig(schedule="constant")
    assert {learning_rate_factor(config, step, 10) for step in range(11)} == {1.0}


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_the_shortest_training_has_a_rate(steps: int) -> None:
    assert 0 <= learning_rate_factor(OptimizerConfig(), 0, steps) <= 1


def test_a_cosine_falls_from_one_to_zero() -> None:
    config = OptimizerConfig(schedule="cosine")
    factors = [learning_rate_factor(config, step, 100) for step in range(101)]
    assert (factors[0], factors[50]) == (1, pytest.approx(0.5))
    assert factors[-1] == pytest.approx(0, abs=1e-9)
    assert all(a > b for a, b in pairwise(factors))


@pytest.mark.parametrize("schedule", ["constant", "cosine", "plateau"])
def test_warmup_rises_linearly_before_the_schedule(schedule: str) -> None:
    config = OptimizerConfig(schedule=schedule, warmup_epochs=2)
    factors = [learning_rate_factor(config, step, 100, 20) for step in range(101)]
    assert factors[0] == pytest.approx(1 / 21)
    assert {round(b - a, 9) for a, b in pairwise(factors[:21])} == {round(1 / 21, 9)}
    assert factors[20] == 1
    assert factors[60] == (pytest.approx(0.5) if schedule == "cosine" else 1)


def test_a_plateau_lowers_the_rate() -> None:
    config = OptimizerConfig(schedule="plateau", plateau_patience=2, plateau_factor=0.5)
    plateau = ReduceOnPlateau()
    factors = []
    for loss in (1.0, 0.9, 0.95, 0.9, 0.89, 0.9, 0.9, 0.9, 0.9):
        plateau.step(loss, config)
        factors.append(plateau.factor)
    assert factors == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_other_schedules_ignore_the_plateau() -> None:
    plateau = ReduceOnPlateau()
    for _ in range(9):
        plateau.step(1.0, OptimizerConfig(schedule="constant", plateau_patience=1))
    assert plateau.factor == 1


def test_early_stopping_counts_epochs_without_enough_improvement() -> None:
    early_stopping = EarlyStopping()
    assert [early_stopping.step(score, 0.1) for score in (0.3, 0.35, 0.5, 0.55, 0.61)] == [0, 1, 0, 1, 0]
    assert early_stopping.best == 0.61
