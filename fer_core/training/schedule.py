"""The learning rate over a training: by step, and on a plateau by epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fer_core.training.config.learning import OptimizerConfig

_RISE_01 = 0.1
_START_01 = 0.04


def learning_rate_factor(config: OptimizerConfig, step: int, steps: int, warmup_steps: float = 0) -> float:
    """The learning rate at `step` of `steps` as a share of the configured one; a plateau's share comes on top.

    one_cycle after Smith & Topin (2019), "Super-Convergence", with a cosine descent. After `warmup_steps`, over
    which the rate rises in a straight line, cosine (Loshchilov & Hutter, 2017, "SGDR", eq. 5, without restarts)
    falls over the steps that are left.
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    if config.schedule == "cosine":
        return _descent((step - warmup_steps) / max(steps - warmup_steps, 1))
    if config.schedule != "one_cycle":
        return 1.0
    done = step / max(steps, 1)
    if done < _RISE_01:
        return _START_01 + (1 - _START_01) * done / _RISE_01
    return _descent((done - _RISE_01) / (1 - _RISE_01))


def _descent(done_01: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * done_01))


@dataclass(slots=True)
class EarlyStopper:
    """Counts epochs without progress. All its fields are its state, to be kept with a checkpoint.

    Attributes:
        best: the highest score so far.
        waited: epochs since it was reached.
    """

    best: float = -math.inf
    waited: int = 0

    def see(self, score: float, min_delta: float = 0.0) -> int:
        """Take an epoch's score, of which more is better; how many epochs have passed without progress."""
        if score > self.best + min_delta:
            self.best, self.waited = score, 0
        else:
            self.waited += 1
        return self.waited


@dataclass(slots=True)
class ReduceOnPlateau:
    """The share of the learning rate that is left after every stretch of epochs without progress."""

    factor: float = 1.0
    best: float = math.inf
    waited: int = 0

    def see(self, loss: float, config: OptimizerConfig) -> None:
        """Take an epoch's validation loss; lower the share where it has not fallen for too long."""
        if config.schedule != "plateau":
            return
        if loss < self.best:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited >= config.plateau_patience:
            self.factor, self.waited = self.factor * config.plateau_factor, 0
