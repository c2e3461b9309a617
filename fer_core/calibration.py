"""From a network's logits to probabilities that can be believed, at one of two operating points."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fer_core.atomic import write_text
from fer_core.errors import BundleError

Point = Literal["accurate", "balanced"]
POINTS: tuple[Point, ...] = ("accurate", "balanced")


class OperatingPoint(BaseModel):
    """One way to trade the common classes against the rare ones.

    `tau` is the strength of logit adjustment; below a confidence of `uncertain_below_01` an answer is uncertain.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tau: float = Field(0.0, ge=0, le=3)
    uncertain_below_01: float = Field(0.0, ge=0, le=1)
    temperature: float = Field(1.0, gt=0)


class Calibration(BaseModel):
    """How logits become probabilities.

    softmax((z - tau * log_prior) / temperature): logit adjustment after Menon et al. (2021), "Long-tail learning
    via logit adjustment", eq. 9; temperature scaling after Guo et al. (2017), "On Calibration of Modern Neural
    Networks", eq. 9. `log_priors` are natural logarithms of the training shares, in the order of the outputs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_priors: tuple[float, ...]
    points: dict[Point, OperatingPoint]

    @classmethod
    def identity(cls, classes: int) -> Calibration:
        """A plain softmax at both points: for a model that nobody calibrated."""
        return cls(log_priors=(0.0,) * classes, points={point: OperatingPoint() for point in POINTS})

    def probabilities(self, logits: NDArray[np.floating], point: Point) -> NDArray[np.float32]:
        """Probabilities at an operating point.

        Args:
            logits: shape (N, classes).
        Returns:
            float32, shape (N, classes); rows sum to 1.
        """
        chosen = self.points[point]
        adjusted = (logits.astype(np.float64) - chosen.tau * np.asarray(self.log_priors)) / chosen.temperature
        adjusted -= adjusted.max(axis=1, keepdims=True)
        odds = np.exp(adjusted)
        return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write the calibration as JSON."""
        write_text(path, self.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, path: Path, classes: int) -> Calibration:
        """Read what `save` wrote.

        Raises:
            BundleError: there is none, it does not hold together, or it is for another number of classes.
        """
        try:
            calibration = cls.model_validate_json(path.read_bytes())
        except OSError as exc:
            raise BundleError(f"{path.parent.name} has no {path.name}: export the model again.") from exc
        except ValidationError as exc:
            raise BundleError(f"{path.name} of {path.parent.name} is not valid: {exc.errors()[0]['msg']}.") from exc
        if len(calibration.log_priors) != classes or set(calibration.points) != set(POINTS):
            raise BundleError(
                f"{path.name} of {path.parent.name} has {len(calibration.log_priors)} priors and points "
                f"{', '.join(calibration.points)}; the model has {classes} labels and needs {', '.join(POINTS)}."
            )
        return calibration
