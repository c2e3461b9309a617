"""What evaluation needs of a model. `fer_core.bundles.bundle.Bundle` has it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_core.calibration import Calibration
from fer_core.contract import Contract


class Classifier(Protocol):
    """A model that classifies face crops."""

    contract: Contract
    calibration: Calibration

    @property
    def id(self) -> str:
        """The model's name in reports."""

    def logits(self, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute logits, shape (N, classes), of prepared faces, shape (N, channels, size_px, size_px)."""
