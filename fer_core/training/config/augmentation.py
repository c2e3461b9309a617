"""Settings of the random changes to training images."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from fer_core.files.strict_model import StrictModel


class AugmentConfig(StrictModel):
    """Settings of the random changes to training images; the defaults change nothing.

    `rotate_deg`, `scale_01`, `translate_01` (share of the side) and `shear_01` (tangent of the angle) are the largest
    changes to either side. A random crop keeps at least `crop_min_01` of the area.

    Gray levels are multiplied by a factor between `gain_low` and `gain_high`. `brightness_01` is the largest share of
    the full range that is added, `contrast_01` the largest relative change of contrast. The exponent of the random
    gamma lies between 1 / (1 + `gamma_01`) and 1 + `gamma_01`.

    `blur_px` is the largest standard deviation of a Gaussian blur, in pixels of the network's input, and `noise_01`
    that of Gaussian noise, as a share of the full range. JPEG quality lies between `jpeg_quality_min` and 95.
    Downscaling leaves the detail of a face at least `downscale_px_min` pixels wide. Blur, noise, downscaling, JPEG,
    glasses and hands apply to `degrade_prob` of the images only.

    `mixup_alpha` and `cutmix_alpha` are parameters of the Beta distribution (0 is off); where both are on, each batch
    takes one of the two. Mixing stops after `mix_until_01` of the epochs.
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
    def _check_gain_range(cls, high: float, others: ValidationInfo) -> float:
        low = others.data.get("gain_low", high)
        if high < low:
            raise ValueError(f"this is below gain_low, which is {low}; make this {low} or more")
        return high

    @property
    def mixes(self) -> bool:
        """Whether mixup or CutMix is on."""
        return self.mix_until_01 > 0 and (self.mixup_alpha > 0 or self.cutmix_alpha > 0)
