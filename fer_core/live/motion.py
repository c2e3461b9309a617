"""Where a face will be: its box moves on with its last speed, so that it is found again after a second out of sight."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.faces import FaceBox

_PROCESS_NOISE = 6.0
"""Standard deviation of a face's acceleration, in its own sides per second squared."""

_BOX_NOISE = 0.04
"""Standard deviation of a detected box's center and side, in sides of the face."""

_SPEED_MAX = 3.0
"""In sides per second: a faster movement is a wrong match."""

_UNSEEN_SPEED_TIME_S = 0.3
"""Time constant with which the speed of an unseen face fades, as nobody moves on in one direction."""


@dataclass(slots=True)
class FaceMotion:
    """Kalman filter of a face's center and side with constant speed (Kalman 1960), separate for each of the three.

    Attributes:
        state: center x, center y and side with their speeds; shape (3, 2), in pixels and pixels per second.
        covariance: of each of the three; shape (3, 2, 2).
        at_s: time of the state.
    """

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    at_s: float
    aspect: float

    @classmethod
    def start(cls, box: FaceBox, at_s: float) -> FaceMotion:
        """Start with a box at rest."""
        side = math.sqrt(box.area)
        state = np.zeros((3, 2))
        state[:, 0] = (*box.center, side)
        covariance = np.zeros((3, 2, 2))
        covariance[:, 0, 0], covariance[:, 1, 1] = (_BOX_NOISE * side) ** 2, (_SPEED_MAX * side / 2) ** 2
        return cls(state, covariance, at_s, box.width / max(box.height, 1))

    def predict(self, at_s: float) -> FaceBox:
        """Predict the box at a time; the filter stays as it is."""
        elapsed_s = max(0.0, at_s - self.at_s)
        moved_s = _UNSEEN_SPEED_TIME_S * (1 - math.exp(-elapsed_s / _UNSEEN_SPEED_TIME_S))
        return self._to_box(self.state[:, 0] + self.state[:, 1] * moved_s)

    def update(self, box: FaceBox, at_s: float) -> None:
        """Correct the state with a detected box."""
        elapsed_s, side = max(1e-3, at_s - self.at_s), math.sqrt(box.area)
        step = np.array([[1.0, elapsed_s], [0.0, 1.0]])
        noise = (_PROCESS_NOISE * side) ** 2 * np.array(
            [[elapsed_s**4 / 4, elapsed_s**3 / 2], [elapsed_s**3 / 2, elapsed_s**2]]
        )
        state = self.state @ step.T
        covariance = step @ self.covariance @ step.T + noise
        gain = covariance[:, :, 0] / (covariance[:, 0, 0] + (_BOX_NOISE * side) ** 2)[:, None]
        measured = np.array([*box.center, side])
        self.state = state + gain * (measured - state[:, 0])[:, None]
        self.covariance = covariance - gain[:, :, None] * covariance[:, None, 0, :]
        self.state[:, 1] = np.clip(self.state[:, 1], -_SPEED_MAX * side, _SPEED_MAX * side)
        self.at_s, self.aspect = at_s, box.width / max(box.height, 1)

    @property
    def box(self) -> FaceBox:
        """The filtered box at the last update."""
        return self._to_box(self.state[:, 0])

    def _to_box(self, place: NDArray[np.float64]) -> FaceBox:
        x, y, side = place
        side = max(side, 1.0)
        width, height = side * math.sqrt(self.aspect), side / math.sqrt(self.aspect)
        return FaceBox(round(x - width / 2), round(y - height / 2), max(1, round(width)), max(1, round(height)))
