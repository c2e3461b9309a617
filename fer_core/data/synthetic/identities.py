"""Synthetic people: what stays the same in all pictures of one identity."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Color = NDArray[np.float64]
"""float64, shape (3,), RGB, 0..255."""

HairStyle = Literal["shaved", "short", "parted", "bob", "long", "curly", "bun"]


def palette(hex_colors: str) -> NDArray[np.float64]:
    """Parse RGB colors such as "f3dcca"; shape (N, 3)."""
    return np.array([list(bytes.fromhex(color)) for color in hex_colors.split()], float)


SKIN_TONES = palette("f3dcca eccfb8 e5c0a0 d4a882 bf8f69 a67654 8d6144 765039 624332")
"""From light to dark in even steps."""
_HAIR = palette("201b1a 34261f 4e3628 704a30 8c5434 ba9460 969390")
_IRIS = palette("3e2a1e 543a26 625232 4a625c 526c84 687074")
_CLOTHES = palette("4c607a 60766a 8e6a60 6c627e 464e56 a89880 7a4248")
_LIPS = np.array((168.0, 82.0, 80.0))


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """One person: geometry, colors and hair.

    Lengths are in head units: the origin is the center of the head, x points to the viewer's right, y down, and 1 is
    half of the head's height. Widths of eyes, nose and mouth are half widths. Fields of geometry have their range.
    """

    head_width: float = field(metadata={"range": (0.72, 0.82)})
    jaw_taper: float = field(metadata={"range": (0.06, 0.22)})
    eye_x: float = field(metadata={"range": (0.325, 0.37)})
    eye_width: float = field(metadata={"range": (0.165, 0.195)})
    eye_open: float = field(metadata={"range": (0.09, 0.112)})
    brow_gap: float = field(metadata={"range": (0.235, 0.27)})
    brow_thickness: float = field(metadata={"range": (0.05, 0.078)})
    brow_arch: float = field(metadata={"range": (0.025, 0.06)})
    nose_width: float = field(metadata={"range": (0.115, 0.165)})
    mouth_width: float = field(metadata={"range": (0.265, 0.32)})
    mouth_curve: float = field(metadata={"range": (-0.02, 0.004)})
    lip_height: float = field(metadata={"range": (0.045, 0.073)})
    hairline_y: float = field(metadata={"range": (-0.68, -0.58)})
    hair_volume: float = field(metadata={"range": (0.07, 0.15)})
    hair_style: HairStyle
    skin: Color
    hair: Color
    iris: Color
    lips: Color
    clothes: Color

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Identity:
        """Sample a person; all traits are independent of each other."""
        position = rng.uniform(0, len(SKIN_TONES) - 1)
        skin = np.array([np.interp(position, range(len(SKIN_TONES)), channel) for channel in SKIN_TONES.T])
        skin *= 1 + np.array((0.5, 0.0, -1.0)) * rng.uniform(-0.03, 0.03)
        ranges = {trait.name: trait.metadata["range"] for trait in fields(cls) if trait.metadata}
        return cls(
            **{name: float(rng.uniform(low, high)) for name, (low, high) in ranges.items()},
            hair_style=get_args(HairStyle)[rng.integers(len(get_args(HairStyle)))],
            skin=skin,
            hair=_HAIR[rng.integers(len(_HAIR))] * rng.uniform(0.9, 1.1),
            iris=_IRIS[rng.integers(len(_IRIS))] + rng.normal(0, 4, 3),
            lips=mix_colors(skin * 0.86, _LIPS, rng.uniform(0.3, 0.5)),
            clothes=_CLOTHES[rng.integers(len(_CLOTHES))] + rng.normal(0, 8, 3),
        )


def mix_colors(first: Color, second: Color, second_01: float) -> Color:
    """Mix two colors: `second_01` of the second, the rest of the first."""
    return first + (second - first) * second_01
