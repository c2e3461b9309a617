"""Calibration: from a model's logits to probabilities, at one of two operating points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from fer_core.errors import BundleError, InputError
from fer_core.files.json_file import JsonModel, load_json_model
from fer_core.labels import Expression
from fer_core.logit_adjustment import adjust_logits

CALIBRATION_FILE = "calibration.json"
"""In the folder of a bundle or run."""


class OperatingPoint(StrEnum):
    """Operating point: highest accuracy, or all expressions treated as equally common."""

    ACCURATE = "accurate"
    BALANCED = "balanced"

    @classmethod
    def parse(cls, name: str) -> OperatingPoint:
        """Return the operating point called `name`.

        Raises:
            InputError: there is no such point.
        """
        try:
            return cls(name)
        except ValueError:
            raise InputError(f"There is no operating point {name!r}. Choose one of: {', '.join(cls)}.") from None


class PointCalibration(JsonModel):
    """Parameters of one operating point.

    Attributes:
        tau: strength of the logit adjustment; 0 is off.
        temperature: fitted at this point, because the adjustment changes the model's confidence.
        confidence_threshold: the model abstains from faces whose highest probability is below.
    """

    tau: float = Field(ge=0)
    temperature: float = Field(1.0, gt=0)
    confidence_threshold: float = Field(ge=0, le=1)


class Calibration(JsonModel):
    """Calibration of a model, fitted on validation data.

    Attributes:
        log_priors: natural logarithms of the classes' shares in training, in the order of the outputs.
    """

    version: Literal[1] = 1
    log_priors: tuple[float, ...] = Field(min_length=2)
    points: dict[OperatingPoint, PointCalibration]

    @model_validator(mode="after")
    def _check_points(self) -> Self:
        missing = [name for name in OperatingPoint if name not in self.points]
        if missing:
            raise ValueError(f"points lacks {', '.join(missing)}")
        if max(self.log_priors) > 0:
            raise ValueError("log_priors are logarithms of shares and can't be above 0")
        return self

    @classmethod
    def identity(cls, labels: Sequence[Expression]) -> Calibration:
        """Return plain softmax without a confidence threshold, for a model that was never calibrated."""
        point = PointCalibration(tau=0, confidence_threshold=0)
        return cls(log_priors=(-math.log(len(labels)),) * len(labels), points=dict.fromkeys(OperatingPoint, point))

    @property
    def is_fitted(self) -> bool:
        """Whether the probabilities are calibrated: those of `identity` are not."""
        plain = PointCalibration(tau=0, confidence_threshold=0)
        return any(point != plain for point in self.points.values())

    def probabilities(self, logits: NDArray[np.floating], point: OperatingPoint) -> NDArray[np.float32]:
        """Compute `softmax((z - tau * log_prior) / temperature)`.

        See `adjust_logits`; the temperature is Guo et al. (2017), "On Calibration of Modern Neural Networks", eq. 9.

        Args:
            logits: shape (N, classes).
        Returns:
            float32, shape (N, classes), each row summing to 1.
        Raises:
            BundleError: the number of classes is not that of the priors.
        """
        from scipy.special import softmax  # its import takes 0.2 s

        return np.asarray(softmax(self._adjust(logits, point) / self.points[point].temperature, axis=1), np.float32)

    def predict(self, logits: NDArray[np.floating], point: OperatingPoint) -> NDArray[np.int64]:
        """Find the most likely class of each image, as `probabilities` does, which no temperature changes."""
        return np.asarray(self._adjust(logits, point).argmax(1), np.int64)

    def _adjust(self, logits: NDArray[np.floating], point: OperatingPoint) -> NDArray[np.floating]:
        if logits.ndim != 2 or logits.shape[1] != len(self.log_priors):
            raise BundleError(
                f"Outputs of shape {logits.shape} don't fit a calibration of {len(self.log_priors)} classes."
            )
        return adjust_logits(logits, self.log_priors, self.points[point].tau)

    @classmethod
    def load(cls, path: Path, labels: Sequence[Expression]) -> Calibration:
        """Load the calibration of a model with these labels.

        Raises:
            BundleError: there is none, it is invalid, or it is for another number of labels.
        """
        if not path.is_file():
            raise BundleError(
                f"{path.parent.name} has no {path.name}: its probabilities would not be calibrated. "
                "Export or import the model again."
            )
        calibration = load_json_model(cls, path, whole="calibration")
        if len(calibration.log_priors) != len(labels):
            raise BundleError(
                f"{path.name} of {path.parent.name} is for {len(calibration.log_priors)} classes, but the contract "
                f"has {len(labels)} labels. Export the model again."
            )
        return calibration
