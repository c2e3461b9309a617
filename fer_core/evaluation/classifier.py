"""Protocol of a model that can be evaluated, such as `bundles.bundle.Bundle`."""

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
        """The model's id in reports."""

    def logits(self, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute logits, shape (N, classes), of normalized faces, shape (N, channels, size_px, size_px)."""
