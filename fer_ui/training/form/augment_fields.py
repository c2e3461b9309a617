"""Fields of the augmentation values."""

from __future__ import annotations

from fer_ui.training.form.fields import Field
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import Values


def _mixes(values: Values, _context: FormContext) -> bool:
    return bool(values["augment.mixup_alpha"] > 0 or values["augment.cutmix_alpha"] > 0)


def _probability(label: str, what: str) -> Field:
    return Field(f"{label}, %", f"Probability that {what}.", step=5)


GEOMETRIC: dict[str, Field] = {
    "augment.flip_prob": _probability("Horizontal flip", "an image is mirrored; 50 is common"),
    "augment.rotate_deg": Field("Rotation, degrees", "Maximum angle in both directions, 0 to 90.", step=5),
    "augment.scale_01": Field("Scale, %", "Maximum change of size, below 90.", step=5),
    "augment.translate_01": Field("Shift, %", "Maximum shift as a share of the side, 0 to 50."),
    "augment.shear_01": Field("Shear, %", "Maximum slant of vertical lines, below 100.", step=5),
    "augment.crop_min_01": Field(
        "Random crop, minimum area, %", "The smallest share of the area that a random crop keeps; 100 is off.", step=5
    ),
}

PHOTOMETRIC: dict[str, Field] = {
    "augment.gain_low": Field("Gain, minimum", "The smallest factor for pixel values, 0 to 10.", step=0.1),
    "augment.gain_high": Field("Gain, maximum", "The largest factor; 1 and 1 are off.", step=0.1),
    "augment.brightness_01": Field("Brightness, %", "Maximum offset as a share of the full range, below 100.", step=5),
    "augment.contrast_01": Field("Contrast, %", "Maximum change of contrast, below 100.", step=5),
    "augment.gamma_01": Field("Gamma", "Maximum deviation of the exponent from 1, 0 to 4.", step=0.1),
    "augment.grayscale_prob": _probability("Grayscale", "an image is converted to grayscale"),
}

DEGRADATION: dict[str, Field] = {
    "augment.blur_px": Field(
        "Blur, pixels", "Maximum standard deviation in pixels of the network's input, 0 to 5.", step=0.5
    ),
    "augment.noise_01": Field("Noise, %", "Maximum standard deviation as a share of the full range, 0 to 50.", step=1),
    "augment.jpeg_prob": _probability("JPEG compression", "an image is compressed"),
    "augment.jpeg_quality_min": Field(
        "JPEG quality, minimum",
        "The lowest quality, 5 to 95.",
        step=5,
        applies=lambda values, _: values["augment.jpeg_prob"] > 0,
    ),
    "augment.downscale_prob": _probability("Low resolution", "an image is downscaled and enlarged again"),
    "augment.downscale_px_min": Field(
        "Low resolution, minimum side",
        "The smallest side in pixels of the network's input, 8 to 224.",
        step=4,
        applies=lambda values, _: values["augment.downscale_prob"] > 0,
    ),
    "augment.glasses_prob": _probability("Glasses", "synthetic glasses are drawn on the face"),
    "augment.hand_prob": _probability("Hand", "a synthetic hand covers part of the face"),
    "augment.degrade_prob": Field(
        "Degraded images, %",
        "Blur, noise, JPEG, low resolution, glasses and hands apply only to this share of images, above 0, up to 100.",
        step=5,
    ),
    "augment.erase_prob": _probability("Random erasing", "a patch of a tenth to a third of the side is erased"),
}

MIXING: dict[str, Field] = {
    "augment.mixup_alpha": Field("Mixup, alpha", "Blends two images; 0 is off, at 1 all shares are alike.", step=0.1),
    "augment.cutmix_alpha": Field(
        "CutMix, alpha", "Pastes a patch of another image; 0 is off, at 1 all areas are alike.", step=0.1
    ),
    "augment.mix_until_01": Field(
        "Mix until, % of the epochs", "Later epochs train without mixing.", step=5, applies=_mixes
    ),
}

AUGMENT: dict[str, Field] = {**GEOMETRIC, **PHOTOMETRIC, **DEGRADATION, **MIXING}
