"""What spoils a face on its way to the model, each at five strengths: light, lens, file, crop, and what covers it.

After Hendrycks and Dietterich (2019), "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations": fixed disturbances at fixed strengths, so that models can be compared; these are the ones that befall
a webcam's face crops. The face is taken to fill its crop, its eyes at about two fifths of the height.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from fer_core.corruptions import camera, crop, occlusions
from fer_core.errors import InputError
from fer_core.faces import RgbImage

SEVERITIES = 5
"""Strengths of each disturbance: 1 is mild, 5 severe, but a person can still read the face; 0 is undisturbed."""

Apply: TypeAlias = Callable[[RgbImage, float, np.random.Generator], RgbImage]
"""A face, the strength in the disturbance's unit, and chance, to a new face of the same shape."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """One thing that can go wrong with a face crop.

    Attributes:
        name: what commands and files call it.
        title: what people call it.
        unit: what the strengths are, with `{}` in the strength's place: "{} stops less light".
        parameters: of the levels 1 to 5, in that unit.
        function: a pure function; the same generator state gives the same picture.
        note: what it does, and where it falls short of the real thing; a sentence.
    """

    name: str
    title: str
    unit: str
    parameters: tuple[float, float, float, float, float]
    function: Apply
    note: str

    def apply(self, face: RgbImage, severity: int, rng: np.random.Generator) -> RgbImage:
        """The face disturbed at a level; at level 0 an unchanged copy.

        Args:
            face: uint8, shape (H, W, 3), RGB; it is left as it is.
            severity: 0 to 5.
            rng: where the chance comes from: the side of a shift, the grain of noise.
        Returns:
            uint8, the same shape, RGB.
        Raises:
            InputError: not such a face, or no such level.
        """
        if not isinstance(face, np.ndarray) or face.dtype != np.uint8 or face.ndim != 3 or face.shape[2] != 3:
            raise InputError(
                f"Only a uint8 array of shape (height, width, 3) can be disturbed, but got {_kind(face)}. "
                "Repeat a gray face's one channel three times."
            )
        if not face.size:
            raise InputError(f"A face of {face.shape[1]}x{face.shape[0]} pixels has nothing to disturb. Give a crop.")
        if not 0 <= severity <= SEVERITIES:
            raise InputError(f"There is no strength {severity} of {self.name}. Choose 0 (undisturbed) to {SEVERITIES}.")
        return self.function(face, self.parameters[severity - 1], rng) if severity else face.copy()

    def describe(self, severity: int) -> str:
        """What a level is: "2 stops less light"; "as it is" at level 0."""
        return self.unit.format(f"{self.parameters[severity - 1]:g}") if severity else "as it is"

    def describe_range(self) -> str:
        """What the strengths are, from the mildest to the severest: "1 to 5 stops less light"."""
        return self.unit.format(f"{self.parameters[0]:g} to {self.parameters[-1]:g}")


def find_corruption(name: str) -> Corruption:
    """The disturbance called `name`.

    Raises:
        InputError: there is none.
    """
    if name not in CORRUPTIONS:
        raise InputError(f"There is no disturbance {name!r}. Choose one of: {', '.join(CORRUPTIONS)}.")
    return CORRUPTIONS[name]


def rng_for(name: str, image_id: str, seed: int) -> np.random.Generator:
    """The chance of one disturbance on one image: the same for each of its strengths and for every model.

    Raises:
        InputError: the seed is negative.
    """
    if seed < 0:
        raise InputError(f"seed={seed} is below 0. Choose 0 or above.")
    words = np.frombuffer(sha256(f"{name}\0{image_id}".encode()).digest(), np.uint32)
    return np.random.default_rng([seed, *words.tolist()])


def _kind(face: object) -> str:
    return f"{face.dtype} of shape {face.shape}" if isinstance(face, np.ndarray) else type(face).__name__


_ALL = (
    Corruption(
        "blur",
        "Blur",
        "a spread of {} px on a 48 px face",
        (0.6, 1.0, 1.4, 1.8, 2.2),
        camera.gaussian_blur,
        "Out of focus: a Gaussian blur of this standard deviation, scaled to the crop.",
    ),
    Corruption(
        "resolution",
        "Few pixels",
        "a face {} px wide",
        (40, 32, 24, 16, 12),
        camera.downscale,
        "Far away: shrunk to so few pixels and enlarged again. A crop that has no more pixels stays as it is.",
    ),
    Corruption(
        "jpeg",
        "JPEG",
        "quality {}",
        (50, 30, 20, 13, 9),
        camera.jpeg_compress,
        "A poor connection: compressed at the crop's own size, in blocks of 8 px.",
    ),
    Corruption(
        "noise",
        "Noise",
        "grain of {} gray levels",
        (5, 10, 16, 24, 34),
        camera.gaussian_noise,
        "A small or hot sensor: Gaussian noise of this standard deviation on each pixel, gray.",
    ),
    Corruption(
        "low-light",
        "Low light",
        "{} stops less light",
        (1, 2, 3, 4, 5),
        camera.low_light,
        "A dark room: each stop halves the light, and what is left drowns in the sensor's noise.",
    ),
    Corruption(
        "over-exposure",
        "Over-exposure",
        "{} stops more light",
        (0.4, 0.8, 1.2, 1.6, 2.0),
        camera.overexpose,
        "Too much light: each stop doubles it, and what is too bright is cut off at white.",
    ),
    Corruption(
        "side-light",
        "Side light",
        "{} stops between the sides",
        (1.5, 3.0, 4.5, 6.0, 7.5),
        camera.side_light,
        "A window beside the face: light from the left or the right, one side bright and the other dark.",
    ),
    Corruption(
        "color-cast",
        "Color cast",
        "{} % tint",
        (10, 20, 35, 50, 70),
        camera.color_cast,
        "Lamps of any color: a tint that keeps the luminance, so a model that reads gray must not notice it.",
    ),
    Corruption(
        "shift",
        "Shifted crop",
        "{} % of the side",
        (4, 8, 12, 16, 20),
        crop.shift,
        "A box that missed the face's middle, in any direction. What was outside is not known: the edge is repeated.",
    ),
    Corruption(
        "close",
        "Crop too close",
        "{} % of the side cut off all round",
        (3, 6, 10, 14, 18),
        crop.crop_tighter,
        "A box that is too small for the face.",
    ),
    Corruption(
        "wide",
        "Crop too wide",
        "{} % of the side added all round",
        (5, 10, 16, 23, 32),
        crop.crop_wider,
        "A box that is too large. What lies around the face is not known, so the edge is repeated: milder than hair, "
        "neck and background would be.",
    ),
    Corruption(
        "roll",
        "Rolled head",
        "{} degrees to either side",
        (5, 10, 15, 25, 35),
        crop.rotate,
        "A head held at a slant, to the left as often as to the right. What was outside repeats the edge.",
    ),
    Corruption(
        "glasses",
        "Glasses",
        "lenses that take {} % of the light",
        (5, 20, 45, 70, 94),
        occlusions.occlude_with_glasses,
        "Drawn frames over the line of the eyes, heavier with the strength; at the top, sunglasses.",
    ),
    Corruption(
        "hand",
        "Hand on the face",
        "{} % of the picture covered",
        (6, 12, 18, 25, 33),
        occlusions.occlude_with_hand,
        "A drawn hand in the face's own color, from below or from a side.",
    ),
)

CORRUPTIONS: Mapping[str, Corruption] = MappingProxyType({each.name: each for each in _ALL})
"""Every disturbance by its name: the camera's first, then the crop's, then what covers the face."""
