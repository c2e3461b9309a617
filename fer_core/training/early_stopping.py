"""Early stopping; the trainer ends when `waited` reaches the configured patience."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True)
class EarlyStopping:
    """Counts epochs without improvement; its fields are its state in a checkpoint.

    Attributes:
        best: highest score so far.
        waited: epochs since then.
    """

    best: float = -math.inf
    waited: int = 0

    def step(self, score: float, min_delta: float = 0.0) -> int:
        """Record an epoch's score (higher is better); returns the epochs without improvement."""
        if score > self.best + min_delta:
            self.best, self.waited = score, 0
        else:
            self.waited += 1
        return self.waited
