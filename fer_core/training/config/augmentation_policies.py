"""Augmentation policies: YAML files with a title, a description and the keys of an `AugmentConfig`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from fer_core.errors import ConfigError
from fer_core.files.migration import rename_config_keys
from fer_core.files.strict_model import StrictModel, format_validation_error
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.config.train_config import read_yaml

POLICIES_DIR = Path(__file__).parent / "policies"


class AugmentationPolicy(StrictModel):
    """A named augmentation."""

    title: str = Field(min_length=1, max_length=60)
    description: str = Field("", max_length=400)
    augment: AugmentConfig


def policies() -> dict[str, AugmentationPolicy]:
    """Load the policies that come with FERscope, by name."""
    return {path.stem: load_policy(path) for path in sorted(POLICIES_DIR.glob("*.yaml"))}


def find_policy(name: str) -> AugmentationPolicy:
    """Find a policy by its name or, failing that, load it from the file of that path.

    Raises:
        ConfigError: there is neither, or the file is not a policy.
    """
    known = policies()
    if name in known:
        return known[name]
    if not Path(name).is_file():
        raise ConfigError(f"There is no augmentation policy and no file {name!r}. Policies: {', '.join(known)}.")
    return load_policy(Path(name))


def load_policy(path: Path) -> AugmentationPolicy:
    """Read the YAML file of a policy.

    Raises:
        ConfigError: the file is missing or not YAML, a key is unknown, or a value is out of range.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{path.name} is not a mapping of keys to values: title, description and augment.")
    try:
        return AugmentationPolicy.model_validate(rename_config_keys(content))
    except ValidationError as exc:
        raise ConfigError(format_validation_error(exc, path.name, AugmentationPolicy)) from exc


def describe_changes(augment: AugmentConfig) -> list[str]:
    """Describe every change that is switched on, a phrase each; empty where nothing changes."""
    a = augment
    phrases = {
        f"flipped horizontally in {_percent(a.flip_prob)} of images": a.flip_prob,
        f"rotated by up to {a.rotate_deg:g} degrees": a.rotate_deg,
        f"scaled by up to {_percent(a.scale_01)} up or down": a.scale_01,
        f"shifted by up to {_percent(a.translate_01)} of the side": a.translate_01,
        f"sheared by up to {_percent(a.shear_01)}": a.shear_01,
        f"randomly cropped to {_percent(a.crop_min_01)} of the area or more": a.crop_min_01 < 1,
        f"gray levels multiplied by {a.gain_low:g} to {a.gain_high:g}": (a.gain_low, a.gain_high) != (1, 1),
        f"brightness changed by up to {_percent(a.brightness_01)} of the full range": a.brightness_01,
        f"contrast changed by up to {_percent(a.contrast_01)}": a.contrast_01,
        f"gamma changed by a factor of up to {1 + a.gamma_01:g}": a.gamma_01,
        f"converted to grayscale in {_percent(a.grayscale_prob)} of images": a.grayscale_prob,
        f"blurred by up to {a.blur_px:g} pixels": a.blur_px,
        f"downscaled to {a.downscale_px_min} px or more in {_percent(a.downscale_prob)} of images": a.downscale_prob,
        f"noise of up to {_percent(a.noise_01)} of the full range": a.noise_01,
        f"JPEG-compressed at quality {a.jpeg_quality_min} to 95 in {_percent(a.jpeg_prob)} of images": a.jpeg_prob,
        f"glasses drawn over {_percent(a.glasses_prob)} of faces": a.glasses_prob,
        f"a hand drawn over {_percent(a.hand_prob)} of faces": a.hand_prob,
        f"blur, downscaling, noise, JPEG, glasses and hands in {_percent(a.degrade_prob)} of images only": (
            a.degrade_prob < 1
        ),
        f"a patch erased in {_percent(a.erase_prob)} of images": a.erase_prob,
        f"mixup with another face (alpha {a.mixup_alpha:g}){_until(a)}": a.mixup_alpha and a.mixes,
        f"CutMix with another face (alpha {a.cutmix_alpha:g}){_until(a)}": a.cutmix_alpha and a.mixes,
    }
    return [phrase for phrase, is_on in phrases.items() if is_on]


def _until(augment: AugmentConfig) -> str:
    return "" if augment.mix_until_01 == 1 else f" in the first {_percent(augment.mix_until_01)} of the epochs"


def _percent(share_01: float) -> str:
    return f"{100 * share_01:g} %"
