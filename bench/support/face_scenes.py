"""Scenes with a known face: face crops pasted into a larger picture."""

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
    """A picture (RGB, uint8), where the crop lies in it (before it was turned), and by how much it leans, clockwise."""

    picture: RgbImage
    truth: FaceBox
    roll_deg: float


def scene(crop: RgbImage, surround: Surround, roll_deg: float, rng: np.random.Generator) -> Scene:
    """Paste a crop somewhere into a scene, 96 to 240 pixels wide.

    Args:
        crop: uint8, square, (S, S) gray or (S, S, 3) RGB.
        surround: what is around it.
        roll_deg: turned clockwise by so much, about its center.
        rng: decides size and place.
    """
    side = int(rng.integers(_SIDE_MIN_PX, _SIDE_MAX_PX + 1))
    left, top = int(rng.integers(0, WIDTH - side + 1)), int(rng.integers(0, HEIGHT - side + 1))
    wide = _surrounded(crop, surround)
    middle = (wide.shape[0] - 1) / 2
    to_scene = cv2.getRotationMatrix2D((middle, middle), -roll_deg, side / crop.shape[0])
    to_scene[:, 2] += (left + (side - 1) / 2 - middle, top + (side - 1) / 2 - middle)
    flags = cv2.INTER_AREA if side < crop.shape[0] else cv2.INTER_CUBIC
    placed = cv2.warpAffine(wide, to_scene, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    picture = cv2.cvtColor(placed, cv2.COLOR_GRAY2RGB) if placed.ndim == 2 else placed
    return Scene(np.asarray(picture, np.uint8), FaceBox(left, top, side, side), roll_deg)


def _surrounded(crop: RgbImage, surround: Surround) -> NDArray[np.uint8]:
    """Pad the crop to three times its width."""
    side = crop.shape[0]
    if surround == "plain":
        gray = [int(value) for value in np.atleast_1d(np.median(crop.reshape(side * side, -1), axis=0))]
        return np.asarray(cv2.copyMakeBorder(crop, side, side, side, side, cv2.BORDER_CONSTANT, value=gray), np.uint8)
    wide = cv2.copyMakeBorder(crop, side, side, side, side, cv2.BORDER_REFLECT)
    blurred = np.asarray(cv2.GaussianBlur(wide, (0, 0), side / 10), np.uint8)
    blurred[side : 2 * side, side : 2 * side] = crop
    return blurred
