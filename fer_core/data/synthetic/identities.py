"""Synthetic people: what stays the same in all pictures of one identity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Color = NDArray[np.float64]
"""float64, shape (3,), RGB, 0..255."""

SKIN_TONES: tuple[tuple[int, int, int], ...] = (
    (243, 220, 202),
    (236, 207, 184),
    (229, 192, 160),
    (212, 168, 130),
    (191, 143, 105),
    (166, 118, 84),
    (141, 97, 68),
    (118, 80, 57),
    (98, 67, 50),
)
"""A ramp from light to dark in even steps; tones are drawn uniformly along it."""

_HAIR = ((32, 27, 26), (52, 38, 31), (78, 54, 40), (112, 74, 48), (140, 84, 52), (186, 148, 96), (150, 147, 144))
_IRIS = ((62, 42, 30), (84, 58, 38), (98, 82, 50), (74, 98, 92), (82, 108, 132), (104, 112, 116))
_CLOTHES = ((76, 96, 122), (96, 118, 106), (142, 106, 96), (108, 98, 126), (70, 78, 86), (168, 152, 128), (122, 66, 72))
_LIPS = np.array((168.0, 82.0, 80.0))
_RANGES = {
    "head_width": (0.72, 0.82),
    "jaw_taper": (0.06, 0.22),
    "eye_x": (0.325, 0.37),
    "eye_width": (0.165, 0.195),
    "eye_open": (0.09, 0.112),
    "brow_gap": (0.235, 0.27),
    "brow_thickness": (0.05, 0.078),
    "brow_arch": (0.025, 0.06),
    "nose_width": (0.115, 0.165),
    "mouth_width": (0.265, 0.32),
    "mouth_curve": (-0.02, 0.004),
    "lip_height": (0.045, 0.073),
    "hairline_y": (-0.68, -0.58),
    "hair_volume": (0.07, 0.15),
}
"""Ranges of the traits that are numbers, in head units."""


class HairStyle(StrEnum):
    """How the hair is worn."""

    SHAVED = "shaved"
    SHORT = "short"
    PARTED = "parted"
    BOB = "bob"
    LONG = "long"
    CURLY = "curly"
    BUN = "bun"


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """One person: geometry, colors and hair.

    Lengths are in head units: the origin is the center of the head, x points to the viewer's right, y down, and 1 is
    half of the head's height. Widths of eyes, nose and mouth are half widths.
    """

    head_width: float
    jaw_taper: float
    eye_x: float
    eye_width: float
    eye_open: float
    brow_gap: float
    brow_thickness: float
    brow_arch: float
    nose_width: float
    mouth_width: float
    mouth_curve: float
    lip_height: float
    hairline_y: float
    hair_volume: float
    hair_style: HairStyle
    skin: Color
    hair: Color
    iris: Color
    lips: Color
    clothes: Color

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Identity:
        """Draw a person; all traits are independent of each other."""
        position = rng.uniform(0, len(SKIN_TONES) - 1)
        ramp = np.array(SKIN_TONES, float)
        skin = np.array([np.interp(position, range(len(ramp)), channel) for channel in ramp.T])
        skin *= 1 + np.array((0.5, 0.0, -1.0)) * rng.uniform(-0.03, 0.03)
        return cls(
            **{name: float(rng.uniform(low, high)) for name, (low, high) in _RANGES.items()},
            hair_style=list(HairStyle)[rng.integers(len(HairStyle))],
            skin=skin,
            hair=np.array(_HAIR[rng.integers(len(_HAIR))], float) * rng.uniform(0.9, 1.1),
            iris=np.array(_IRIS[rng.integers(len(_IRIS))], float) + rng.normal(0, 4, 3),
            lips=mix_colors(skin * 0.86, _LIPS, rng.uniform(0.3, 0.5)),
            clothes=np.array(_CLOTHES[rng.integers(len(_CLOTHES))], float) + rng.normal(0, 8, 3),
        )


def mix_colors(first: Color, second: Color, second_01: float) -> Color:
    """Mix two colors: `second_01` of the second, the rest of the first."""
    return first + (second - first) * second_01
