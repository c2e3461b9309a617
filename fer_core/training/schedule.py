"""Learning-rate schedules and reduction on a plateau; docs/adr/0014-own-schedules-and-layers.md compares torch's."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fer_core.training.config.optimization import OptimizerConfig

_ONE_CYCLE_RISE_01 = 0.1
_ONE_CYCLE_START_01 = 0.04


def learning_rate_factor(config: OptimizerConfig, step: int, steps: int, warmup_steps: float = 0) -> float:
    """Compute the factor on the configured learning rate at `step` of `steps`.

    The rate rises linearly over `warmup_steps`. Then cosine (Loshchilov & Hutter, 2017, "SGDR", eq. 5, without
    restarts) falls to 0 over the steps that are left. one_cycle is after Smith & Topin (2019), "Super-Convergence",
    with a linear rise and a cosine descent.
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    if config.schedule == "cosine":
        return _cosine((step - warmup_steps) / max(steps - warmup_steps, 1))
    if config.schedule != "one_cycle":
        return 1.0
    done = step / max(steps, 1)
    if done < _ONE_CYCLE_RISE_01:
        return _ONE_CYCLE_START_01 + (1 - _ONE_CYCLE_START_01) * done / _ONE_CYCLE_RISE_01
    return _cosine((done - _ONE_CYCLE_RISE_01) / (1 - _ONE_CYCLE_RISE_01))


def _cosine(done_01: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * done_01))


@dataclass(slots=True)
class ReduceOnPlateau:
    """Lowers the learning rate when the validation loss stops falling; its fields are its state in a checkpoint.

    Attributes:
        factor: what the scheduled learning rate is multiplied by.
        best: the lowest loss so far.
        waited: epochs since then, or since the last reduction.
    """

    factor: float = 1.0
    best: float = math.inf
    waited: int = 0

    def step(self, loss: float, config: OptimizerConfig) -> None:
        """Take an epoch's validation loss; does nothing unless the schedule is "plateau"."""
        if config.schedule != "plateau":
            return
        if loss < self.best:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited >= config.plateau_patience:
            self.factor, self.waited = self.factor * config.plateau_factor, 0
