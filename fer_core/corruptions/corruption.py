"""Corruptions of face crops at five severities: light, lens, file, crop and occlusions.

After Hendrycks and Dietterich (2019), "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations":
fixed corruptions at fixed severities, so that models can be compared; these are the ones that webcams produce. The face
is assumed to fill its crop, with its eyes at about two fifths of the height.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from fer_core.corruptions import geometric, occlusions, photometric
from fer_core.errors import InputError
from fer_core.faces import RgbImage

SEVERITIES = 5
"""Severities of each corruption: 1 is mild, at 5 a person still recognizes the expression; 0 is clean."""

Apply: TypeAlias = Callable[[RgbImage, float, np.random.Generator], RgbImage]
"""Takes a face, the parameter in the corruption's unit and a generator; returns a new face of the same shape."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """One corruption of a face crop.

    Attributes:
        name: its name in commands and files.
        title: its name on pages.
        unit: describes a parameter, which replaces `{}`: "{} stops less light".
        parameters: for severities 1 to 5, in that unit.
        function: the same generator state gives the same result.
        note: a sentence on what it simulates and where it differs from the real thing.
    """

    name: str
    title: str
    unit: str
    parameters: tuple[float, float, float, float, float]
    function: Apply
    note: str

    def apply(self, face: RgbImage, severity: int, rng: np.random.Generator) -> RgbImage:
        """Corrupt a face; at severity 0 return a copy.

        Args:
            face: uint8, shape (H, W, 3), RGB; it is not modified.
            severity: 0 to 5.
            rng: for random choices, such as the direction of a shift.
        Returns:
            uint8, the same shape, RGB.
        Raises:
            InputError: the face has another type or shape, or there is no such severity.
        """
        if not isinstance(face, np.ndarray) or face.dtype != np.uint8 or face.ndim != 3 or face.shape[2] != 3:
            raise InputError(
                f"Only a uint8 array of shape (height, width, 3) can be corrupted, but got {_describe_array(face)}. "
                "Repeat the channel of a gray face three times."
            )
        if not face.size:
            raise InputError(f"A face of {face.shape[1]}x{face.shape[0]} pixels is empty. Give a crop.")
        if not 0 <= severity <= SEVERITIES:
            raise InputError(f"There is no severity {severity} of {self.name}. Choose 0 (clean) to {SEVERITIES}.")
        return self.function(face, self.parameters[severity - 1], rng) if severity else face.copy()

    def describe(self, severity: int) -> str:
        """Describe a severity: "2 stops less light"."""
        return self.unit.format(f"{self.parameters[severity - 1]:g}") if severity else "clean"

    def describe_range(self) -> str:
        """Describe the range of the parameters: "1 to 5 stops less light"."""
        return self.unit.format(f"{self.parameters[0]:g} to {self.parameters[-1]:g}")


def rng_for(name: str, image_id: str, seed: int) -> np.random.Generator:
    """Create the generator for one corruption of one image, the same for every severity and model.

    Raises:
        InputError: the seed is negative.
    """
    if seed < 0:
        raise InputError(f"seed={seed} is below 0. Choose 0 or above.")
    digest = np.frombuffer(sha256(f"{name}\0{image_id}".encode()).digest(), np.uint32)
    return np.random.default_rng([seed, *digest.tolist()])


def _describe_array(face: object) -> str:
    return f"{face.dtype} of shape {face.shape}" if isinstance(face, np.ndarray) else type(face).__name__


_ALL = (
    Corruption(
        "blur",
        "Blur",
        "a spread of {} px on a 48 px face",
        (0.6, 1.0, 1.4, 1.8, 2.2),
        photometric.gaussian_blur,
        "Out of focus: a Gaussian blur of this standard deviation, scaled to the crop.",
    ),
    Corruption(
        "resolution",
        "Few pixels",
        "a face {} px wide",
        (40, 32, 24, 16, 12),
        photometric.downscale,
        "A distant face: downscaled to so few pixels and upscaled again. A smaller crop stays as it is.",
    ),
    Corruption(
        "jpeg",
        "JPEG",
        "quality {}",
        (50, 30, 20, 13, 9),
        photometric.jpeg_compress,
        "A poor connection: compressed at the crop's own size, in blocks of 8 px.",
    ),
    Corruption(
        "noise",
        "Noise",
        "grain of {} gray levels",
        (5, 10, 16, 24, 34),
        photometric.gaussian_noise,
        "A small or hot sensor: gray Gaussian noise of this standard deviation on each pixel.",
    ),
    Corruption(
        "low-light",
        "Low light",
        "{} stops less light",
        (1, 2, 3, 4, 5),
        photometric.low_light,
        "A dark room: each stop halves the light, and sensor noise covers the rest.",
    ),
    Corruption(
        "over-exposure",
        "Over-exposure",
        "{} stops more light",
        (0.4, 0.8, 1.2, 1.6, 2.0),
        photometric.overexpose,
        "Too much light: each stop doubles it, and bright areas are clipped to white.",
    ),
    Corruption(
        "side-light",
        "Side light",
        "{} stops between the sides",
        (1.5, 3.0, 4.5, 6.0, 7.5),
        photometric.side_light,
        "A window beside the face: one side is bright and the other dark.",
    ),
    Corruption(
        "color-cast",
        "Color cast",
        "{} % tint",
        (10, 20, 35, 50, 70),
        photometric.color_cast,
        "Colored lamps: a tint that keeps the luminance, so that a model of gray images is not affected.",
    ),
    Corruption(
        "shift",
        "Shifted crop",
        "{} % of the side",
        (4, 8, 12, 16, 20),
        geometric.shift,
        "A box that is off center, in any direction. Outside of the crop, the edge is repeated.",
    ),
    Corruption(
        "close",
        "Crop too close",
        "{} % of the side cut off all round",
        (3, 6, 10, 14, 18),
        geometric.crop_tighter,
        "A box that is too small for the face.",
    ),
    Corruption(
        "wide",
        "Crop too wide",
        "{} % of the side added all round",
        (5, 10, 16, 23, 32),
        geometric.crop_wider,
        "A box that is too large. The edge is repeated, which is milder than real hair, neck and background.",
    ),
    Corruption(
        "roll",
        "Rolled head",
        "{} degrees to either side",
        (5, 10, 15, 25, 35),
        geometric.rotate,
        "A tilted head, to the left as often as to the right. Outside of the crop, the edge is repeated.",
    ),
    Corruption(
        "glasses",
        "Glasses",
        "lenses that take {} % of the light",
        (5, 20, 45, 70, 94),
        occlusions.occlude_with_glasses,
        "Synthetic glasses over the eyes, heavier at higher severities; at severity 5, sunglasses.",
    ),
    Corruption(
        "hand",
        "Hand on the face",
        "{} % of the picture covered",
        (6, 12, 18, 25, 33),
        occlusions.occlude_with_hand,
        "A synthetic hand in the color of the face, from below or from a side.",
    ),
)

CORRUPTIONS: Mapping[str, Corruption] = MappingProxyType({corruption.name: corruption for corruption in _ALL})
"""Every corruption by its name: camera, crop, occlusions."""
