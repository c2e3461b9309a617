"""The values of the augmentation: what each is called and what it does."""

from __future__ import annotations

from fer_ui.training.form.fields import Field
from fer_ui.training.form.form_context import FormContext
from fer_ui.training.form.form_state import Values


def _mixes(values: Values, _context: FormContext) -> bool:
    return bool(values["augment.mixup_alpha"] > 0 or values["augment.cutmix_alpha"] > 0)


def _probability(label: str, what: str) -> Field:
    return Field(f"{label}, %", f"In so many of the cases {what}.", step=5, percent=True)


GEOMETRIC: dict[str, Field] = {
    "augment.flip_prob": _probability("Mirrored", "a face is mirrored left to right; 50 usual"),
    "augment.rotate_deg": Field("Turned, degrees", "Up to so many degrees either way, 0 to 90.", step=5),
    "augment.scale_01": Field("Larger or smaller, %", "By up to so much, below 90.", step=5, percent=True),
    "augment.translate_01": Field("Shifted, %", "By up to so much of the side, 0 to 50.", step=1, percent=True),
    "augment.shear_01": Field("Sheared, %", "Upright lines lean by up to so much, below 100.", step=5, percent=True),
    "augment.crop_min_01": Field(
        "Cropped to at least, %",
        "The least share of the area that a random crop keeps; 100 is off.",
        step=5,
        percent=True,
    ),
}

PHOTOMETRIC: dict[str, Field] = {
    "augment.gain_low": Field(
        "Brightness from, times", "Gray levels are multiplied by this at least, 0 to 10.", step=0.1
    ),
    "augment.gain_high": Field("Brightness to, times", "And by this at most; 1 and 1 change nothing.", step=0.1),
    "augment.brightness_01": Field(
        "Brighter or darker, %", "Up to so much of the full range is added, below 100.", step=5, percent=True
    ),
    "augment.contrast_01": Field("Contrast, %", "Up to so much more or less, below 100.", step=5, percent=True),
    "augment.gamma_01": Field("Gamma", "Gray levels are bent by an exponent of up to 1 plus this, 0 to 4.", step=0.1),
    "augment.grayscale_prob": _probability("Turned gray", "colors are taken away"),
}

DEGRADATION: dict[str, Field] = {
    "augment.blur_px": Field("Blur, pixels", "Up to so many pixels of the network's input, 0 to 5.", step=0.5),
    "augment.noise_01": Field("Noise, %", "Up to so much of the full range, 0 to 50.", step=1, percent=True),
    "augment.jpeg_prob": _probability("Saved as JPEG", "an image is compressed"),
    "augment.jpeg_quality_min": Field(
        "JPEG quality from",
        "Down to this, 5 to 95; the best is 95.",
        step=5,
        applies=lambda values, _: values["augment.jpeg_prob"] > 0,
    ),
    "augment.downscale_prob": _probability("Detail of a smaller face", "an image is shrunk and enlarged again"),
    "augment.downscale_px_min": Field(
        "Shrunk to, pixels",
        "Down to this side, 8 to 224, in pixels of the network's input.",
        step=4,
        applies=lambda values, _: values["augment.downscale_prob"] > 0,
    ),
    "augment.glasses_prob": _probability("Glasses", "a face is behind drawn glasses"),
    "augment.hand_prob": _probability("A hand", "a face is partly behind a drawn hand"),
    "augment.degrade_prob": Field(
        "Of all faces, %",
        "Blur, noise, JPEG, less detail, glasses and hands befall so many of the faces alone, above 0 and up to 100.",
        step=5,
        percent=True,
    ),
    "augment.erase_prob": _probability("A patch erased", "a tenth to a third of the side is made gray"),
}

MIXING: dict[str, Field] = {
    "augment.mixup_alpha": Field(
        "Mixup, alpha", "Two faces are laid over each other; 0 is off, 1 by any share.", step=0.1
    ),
    "augment.cutmix_alpha": Field(
        "Cutmix, alpha", "A patch of another face is put in; 0 is off, 1 of any size.", step=0.1
    ),
    "augment.mix_until_01": Field(
        "Mixed until, % of the epochs", "After that faces are no longer mixed.", step=5, percent=True, applies=_mixes
    ),
}

AUGMENT: dict[str, Field] = {**GEOMETRIC, **PHOTOMETRIC, **DEGRADATION, **MIXING}
