"""From a model's outputs to probabilities that can be trusted, at one of two operating points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from fer_core.errors import BundleError, InputError
from fer_core.files.json_file import JsonModel, load_json_model
from fer_core.labels import Expression

PointName = Literal["accurate", "balanced"]

POINT_NAMES: tuple[PointName, ...] = get_args(PointName)


class OperatingPoint(JsonModel):
    """A choice between being right most often and treating every expression alike.

    `tau` is the strength of the logit adjustment: 0 leaves the model as it is (accurate), 1 answers as if all
    expressions were equally common (balanced). A face whose best probability is below `confidence_threshold` is
    read with a warning. `temperature` is fitted at this point: an adjusted model is sure in another way.
    """

    tau: float = Field(ge=0)
    temperature: float = Field(1.0, gt=0)
    confidence_threshold: float = Field(ge=0, le=1)


class Calibration(JsonModel):
    """What turns a model's logits into probabilities; fitted on validation data and kept with the model.

    `log_priors` are the natural logarithms of the classes' shares in training, in the order of the outputs.
    """

    version: Literal[1] = 1
    log_priors: tuple[float, ...] = Field(min_length=2)
    points: dict[PointName, OperatingPoint]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        missing = [name for name in POINT_NAMES if name not in self.points]
        if missing:
            raise ValueError(f"points lacks {', '.join(missing)}")
        if max(self.log_priors) > 0:
            raise ValueError("log_priors are logarithms of shares, so none can be above 0")
        return self

    @classmethod
    def identity(cls, labels: Sequence[Expression]) -> Calibration:
        """The calibration of a model that has none: softmax alone, and no limit of its own."""
        point = OperatingPoint(tau=0, confidence_threshold=0)
        return cls(
            log_priors=(-math.log(len(labels)),) * len(labels),
            points={"accurate": point, "balanced": point},
        )

    def point(self, name: str) -> OperatingPoint:
        """The operating point called `name`.

        Raises:
            InputError: there is no such point.
        """
        for known in POINT_NAMES:
            if known == name:
                return self.points[known]
        raise InputError(f"There is no operating point {name!r}. Choose one of: {', '.join(POINT_NAMES)}.")

    def probabilities(self, logits: NDArray[np.floating], point: str) -> NDArray[np.float32]:
        """`softmax((z - tau * log_prior) / temperature)`.

        The adjustment is post-hoc logit adjustment, Menon et al. (2021), "Long-tail learning via logit
        adjustment", eq. 9; the temperature is Guo et al. (2017), "On Calibration of Modern Neural Networks",
        eq. 9.

        Args:
            logits: the model's outputs, shape (N, classes).
            point: `accurate` or `balanced`.
        Returns:
            float32, shape (N, classes), each row summing to 1.
        Raises:
            InputError: there is no such point.
            BundleError: the outputs are not as many as the priors.
        """
        if logits.ndim != 2 or logits.shape[1] != len(self.log_priors):
            raise BundleError(
                f"Outputs of shape {logits.shape} don't fit a calibration of {len(self.log_priors)} classes."
            )
        chosen = self.point(point)
        scaled = (logits.astype(np.float64) - chosen.tau * np.asarray(self.log_priors)) / chosen.temperature
        # Softmax does not change when a row is shifted; with its largest value at 0 nothing overflows.
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)

    @classmethod
    def load(cls, path: Path, labels: Sequence[Expression]) -> Calibration:
        """Read a calibration that `save` wrote, for a model with these labels.

        Raises:
            BundleError: there is none, it does not hold together, or it is for another number of labels.
        """
        if not path.is_file():
            raise BundleError(
                f"{path.parent.name} has no {path.name}: its probabilities could not be trusted. "
                "Export the model again, or import it, which writes one."
            )
        calibration = load_json_model(cls, path, whole="calibration")
        if len(calibration.log_priors) != len(labels):
            raise BundleError(
                f"{path.name} of {path.parent.name} is for {len(calibration.log_priors)} classes, but the contract "
                f"has {len(labels)} labels. Export the model again."
            )
        return calibration
