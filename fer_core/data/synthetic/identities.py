"""The people who are drawn: what stays the same from picture to picture of one identity."""

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
"""A ramp from light to dark in even steps; an identity's tone is drawn evenly along it."""

_HAIR = ((32, 27, 26), (52, 38, 31), (78, 54, 40), (112, 74, 48), (140, 84, 52), (186, 148, 96), (150, 147, 144))
_HAIR_WEIGHT = (0.25, 0.22, 0.19, 0.13, 0.07, 0.08, 0.06)
_IRIS = ((62, 42, 30), (84, 58, 38), (98, 82, 50), (74, 98, 92), (82, 108, 132), (104, 112, 116))
_IRIS_WEIGHT = (0.32, 0.26, 0.14, 0.08, 0.12, 0.08)
_CLOTHES = ((76, 96, 122), (96, 118, 106), (142, 106, 96), (108, 98, 126), (70, 78, 86), (168, 152, 128), (122, 66, 72))


class HairStyle(StrEnum):
    """How the hair is worn. All are as likely for every identity."""

    SHAVED = "shaved"
    CROPPED = "cropped"
    SHORT = "short"
    PARTED = "parted"
    FRINGE = "fringe"
    BOB = "bob"
    LONG = "long"
    CURLY = "curly"
    BUN = "bun"


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """One person: geometry, tones and hair.

    Lengths are in head units: the origin is the middle of the head, x points to the viewer's right, y down,
    and 1 is half of the head's height. Widths of eyes, nose and mouth are half widths.
    """

    head_width: float
    jaw_power: float
    jaw_taper: float
    ear_size: float
    eye_x: float
    eye_y: float
    eye_width: float
    eye_open: float
    eye_tilt: float
    iris_radius: float
    brow_gap: float
    brow_thickness: float
    brow_arch: float
    brow_length: float
    nose_y: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    mouth_curve: float
    upper_lip: float
    lower_lip: float
    hairline_y: float
    hair_volume: float
    hair_style: HairStyle
    part_side: int
    glasses: bool
    skin: Color
    hair: Color
    iris: Color
    lips: Color
    clothes: Color

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Identity:
        """A person whose every trait is drawn by itself: no trait says anything about another."""

        def between(low: float, high: float) -> float:
            return float(rng.uniform(low, high))

        skin = _skin(rng)
        return cls(
            head_width=between(0.72, 0.82),
            jaw_power=between(2.0, 2.6),
            jaw_taper=between(0.06, 0.22),
            ear_size=between(0.15, 0.2),
            eye_x=between(0.325, 0.37),
            eye_y=between(-0.06, 0.02),
            eye_width=between(0.165, 0.195),
            eye_open=between(0.09, 0.112),
            eye_tilt=between(-0.012, 0.028),
            iris_radius=between(0.082, 0.094),
            brow_gap=between(0.235, 0.27),
            brow_thickness=between(0.05, 0.078),
            brow_arch=between(0.025, 0.06),
            brow_length=between(0.2, 0.235),
            nose_y=between(0.3, 0.36),
            nose_width=between(0.115, 0.165),
            mouth_y=between(0.575, 0.625),
            mouth_width=between(0.265, 0.32),
            mouth_curve=between(-0.02, 0.004),
            upper_lip=between(0.036, 0.062),
            lower_lip=between(0.055, 0.085),
            hairline_y=between(-0.68, -0.58),
            hair_volume=between(0.07, 0.15),
            hair_style=list(HairStyle)[int(rng.integers(len(HairStyle)))],
            part_side=int(rng.choice((-1, 1))),
            glasses=bool(rng.random() < 0.12),
            skin=skin,
            hair=_pick(rng, _HAIR, _HAIR_WEIGHT) * between(0.9, 1.1),
            iris=_pick(rng, _IRIS, _IRIS_WEIGHT) + rng.normal(0, 4, 3),
            lips=mix(skin * 0.86, np.array((168.0, 82.0, 80.0)), between(0.3, 0.5)),
            clothes=_pick(rng, _CLOTHES, (1 / len(_CLOTHES),) * len(_CLOTHES)) + rng.normal(0, 8, 3),
        )


def mix(first: Color, second: Color, second_01: float) -> Color:
    """A color between two: `second_01` of the second, the rest of the first."""
    return first + (second - first) * second_01


def _skin(rng: np.random.Generator) -> Color:
    """A tone evenly along the ramp, a little redder or yellower."""
    place = rng.uniform(0, len(SKIN_TONES) - 1)
    first = min(int(place), len(SKIN_TONES) - 2)
    tone = mix(np.array(SKIN_TONES[first], float), np.array(SKIN_TONES[first + 1], float), place - first)
    return tone * (1 + np.array((0.5, 0.0, -1.0)) * rng.uniform(-0.03, 0.03))


def _pick(rng: np.random.Generator, colors: tuple[tuple[int, ...], ...], weights: tuple[float, ...]) -> Color:
    return np.array(colors[int(rng.choice(len(colors), p=weights))], float)
