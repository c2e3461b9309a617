"""How far training images are changed at random."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from fer_core.training.config.strict_model import StrictModel


class AugmentConfig(StrictModel):
    """How far training images are changed at random; as it stands here, nothing is.

    Degrees for `rotate_deg`; shares of the side for `translate_01`; the tangent of the angle by which upright lines
    lean for `shear_01`; shares of 1 for `scale_01`, `brightness_01` and `contrast_01`; probabilities for `flip_prob`,
    `grayscale_prob` and `erase_prob` (one patch of a tenth to a third of the side). Gray levels are multiplied by a
    number from `gain_low` to `gain_high`; `brightness_01` is added to them.

    `crop_min_01` is the least share of an image's area that a random crop keeps (1 is off). `gamma_01` g bends gray
    levels by an exponent between 1 / (1 + g) and 1 + g. `blur_px` is the largest standard deviation of a Gaussian
    blur, in pixels of the network's input; `noise_01` that of added noise, as a share of the full range. `jpeg_prob`
    of the images are compressed, at a quality from `jpeg_quality_min` to 95. `downscale_prob` of them lose the detail
    of a face that is only `downscale_px_min` pixels wide, or more, in its picture. `glasses_prob` and `hand_prob` of
    them are faces behind glasses, or partly behind a hand. All of these, from the blur on, befall `degrade_prob` of the
    images alone.

    `mixup_alpha` and `cutmix_alpha` mix each image and its target with those of another one (0 is off, 1 mixes by
    any share); a batch takes one of the two by chance where both are on. `mix_until_01` is the share of the epochs
    after which mixing stops.
    """

    flip_prob: float = Field(0.0, ge=0, le=1)
    rotate_deg: float = Field(0.0, ge=0, le=90)
    scale_01: float = Field(0.0, ge=0, lt=0.9)
    translate_01: float = Field(0.0, ge=0, le=0.5)
    shear_01: float = Field(0.0, ge=0, lt=1)
    gain_low: float = Field(1.0, ge=0, le=10)
    gain_high: float = Field(1.0, gt=0, le=10, validate_default=True)
    brightness_01: float = Field(0.0, ge=0, lt=1)
    contrast_01: float = Field(0.0, ge=0, lt=1)
    erase_prob: float = Field(0.0, ge=0, le=1)
    crop_min_01: float = Field(1.0, ge=0.05, le=1)
    gamma_01: float = Field(0.0, ge=0, le=4)
    grayscale_prob: float = Field(0.0, ge=0, le=1)
    blur_px: float = Field(0.0, ge=0, le=5)
    noise_01: float = Field(0.0, ge=0, le=0.5)
    jpeg_prob: float = Field(0.0, ge=0, le=1)
    jpeg_quality_min: int = Field(40, ge=5, le=95)
    downscale_prob: float = Field(0.0, ge=0, le=1)
    downscale_px_min: int = Field(16, ge=8, le=224)
    glasses_prob: float = Field(0.0, ge=0, le=1)
    hand_prob: float = Field(0.0, ge=0, le=1)
    degrade_prob: float = Field(1.0, gt=0, le=1)
    mixup_alpha: float = Field(0.0, ge=0, le=8)
    cutmix_alpha: float = Field(0.0, ge=0, le=8)
    mix_until_01: float = Field(1.0, ge=0, le=1)

    @field_validator("gain_high")
    @classmethod
    def _not_below_its_low_end(cls, high: float, others: ValidationInfo) -> float:
        low = others.data.get("gain_low", high)
        if high < low:
            raise ValueError(f"the gain is drawn from gain_low, which is {low}, up to this; make this {low} or more")
        return high

    @property
    def mixes(self) -> bool:
        """Whether images are mixed with each other at all."""
        return self.mix_until_01 > 0 and (self.mixup_alpha > 0 or self.cutmix_alpha > 0)
