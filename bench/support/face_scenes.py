"""Scenes with a known face: face crops pasted into a larger image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core.faces import FaceBox, RgbImage

WIDTH, HEIGHT = 480, 360
_SIDE_MIN_PX, _SIDE_MAX_PX = 96, 240

Surround = Literal["mirrored", "plain"]
SURROUNDS: tuple[Surround, ...] = get_args(Surround)
"""Surroundings of the crop: its blurred reflection, or its median gray."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """An RGB image, the box of the pasted crop before rotation, and its clockwise roll."""

    image: RgbImage
    truth: FaceBox
    roll_deg: float


def make_scene(crop: RgbImage, surround: Surround, roll_deg: float, rng: np.random.Generator) -> Scene:
    """Paste a crop, 96 to 240 pixels wide, at a random position into a scene.

    Args:
        crop: uint8, square, (S, S) gray or (S, S, 3) RGB.
        surround: surroundings of the crop.
        roll_deg: clockwise rotation about the center of the crop.
        rng: draws size and position.
    """
    side = int(rng.integers(_SIDE_MIN_PX, _SIDE_MAX_PX + 1))
    left, top = int(rng.integers(0, WIDTH - side + 1)), int(rng.integers(0, HEIGHT - side + 1))
    padded = _pad(crop, surround)
    center = (padded.shape[0] - 1) / 2
    to_scene = cv2.getRotationMatrix2D((center, center), -roll_deg, side / crop.shape[0])
    to_scene[:, 2] += (left + (side - 1) / 2 - center, top + (side - 1) / 2 - center)
    flags = cv2.INTER_AREA if side < crop.shape[0] else cv2.INTER_CUBIC
    warped = cv2.warpAffine(padded, to_scene, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    image = cv2.cvtColor(warped, cv2.COLOR_GRAY2RGB) if warped.ndim == 2 else warped
    return Scene(np.asarray(image, np.uint8), FaceBox(left, top, side, side), roll_deg)


def _pad(crop: RgbImage, surround: Surround) -> NDArray[np.uint8]:
    """Pad the crop to three times its width."""
    side = crop.shape[0]
    if surround == "plain":
        gray = [int(value) for value in np.atleast_1d(np.median(crop.reshape(side * side, -1), axis=0))]
        return np.asarray(cv2.copyMakeBorder(crop, side, side, side, side, cv2.BORDER_CONSTANT, value=gray), np.uint8)
    padded = cv2.copyMakeBorder(crop, side, side, side, side, cv2.BORDER_REFLECT)
    blurred = np.asarray(cv2.GaussianBlur(padded, (0, 0), side / 10), np.uint8)
    blurred[side : 2 * side, side : 2 * side] = crop
    return blurred
