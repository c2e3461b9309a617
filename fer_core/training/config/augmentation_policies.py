"""Named ways of augmenting: YAML files with a title, a description and the keys of an `AugmentConfig`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fer_core.errors import ConfigError
from fer_core.files.migration import rename_config_keys
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.config.strict_model import in_words
from fer_core.training.config.train_config import read_yaml

RECIPES_DIR = Path(__file__).parent / "policies"


class Recipe(BaseModel):
    """One way of augmenting, and what it is known for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=60)
    description: str = Field("", max_length=400)
    augment: AugmentConfig


def recipes() -> dict[str, Recipe]:
    """The recipes that come with FERscope, by name."""
    return {path.stem: load_recipe(path) for path in sorted(RECIPES_DIR.glob("*.yaml"))}


def find_recipe(name: str) -> Recipe:
    """A recipe by its name, or else from a file of one's own.

    Raises:
        ConfigError: there is neither, or the file is not a recipe.
    """
    known = recipes()
    if name in known:
        return known[name]
    if not Path(name).is_file():
        raise ConfigError(f"There is no recipe and no file {name!r}. Recipes: {', '.join(known)}.")
    return load_recipe(Path(name))


def load_recipe(path: Path) -> Recipe:
    """Read a recipe's file.

    Raises:
        ConfigError: it is missing or is not YAML, or a key is unknown or has a value out of its range.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{path.name} is not a mapping of keys to values: title, description and augment.")
    try:
        return Recipe.model_validate(rename_config_keys(content))
    except ValidationError as exc:
        raise ConfigError(in_words(exc, path.name, Recipe)) from exc


def changes_in_words(augment: AugmentConfig) -> list[str]:
    """What a recipe does to an image, a phrase a change; empty where it does nothing."""
    a = augment
    said = {
        f"mirrored in {_percent(a.flip_prob)} of the cases": a.flip_prob,
        f"turned by up to {a.rotate_deg:g} degrees": a.rotate_deg,
        f"made up to {_percent(a.scale_01)} larger or smaller": a.scale_01,
        f"shifted by up to {_percent(a.translate_01)} of the side": a.translate_01,
        f"sheared by up to {_percent(a.shear_01)}": a.shear_01,
        f"cropped to {_percent(a.crop_min_01)} of the area or more": a.crop_min_01 < 1,
        f"gray levels multiplied by {a.gain_low:g} to {a.gain_high:g}": (a.gain_low, a.gain_high) != (1, 1),
        f"made up to {_percent(a.brightness_01)} of the full range brighter or darker": a.brightness_01,
        f"contrast up to {_percent(a.contrast_01)} higher or lower": a.contrast_01,
        f"bent gray levels, by an exponent of up to {1 + a.gamma_01:g}": a.gamma_01,
        f"turned gray in {_percent(a.grayscale_prob)} of the cases": a.grayscale_prob,
        f"blurred by up to {a.blur_px:g} pixels": a.blur_px,
        f"noise of up to {_percent(a.noise_01)} of the full range": a.noise_01,
        f"saved as JPEG of quality {a.jpeg_quality_min} to 95 in {_percent(a.jpeg_prob)} of the cases": a.jpeg_prob,
        f"downscaled to {a.downscale_px_min} px or more in {_percent(a.downscale_prob)} of the cases": a.downscale_prob,
        f"behind glasses in {_percent(a.glasses_prob)} of the cases": a.glasses_prob,
        f"partly behind a hand in {_percent(a.hand_prob)} of the cases": a.hand_prob,
        f"all that from blur on in {_percent(a.degrade_prob)} of the cases alone": a.degrade_prob < 1,
        f"a patch erased in {_percent(a.erase_prob)} of the cases": a.erase_prob,
        f"mixed with another face by mixup (alpha {a.mixup_alpha:g}){_until(a)}": a.mixup_alpha and a.mixes,
        f"a patch of another face by cutmix (alpha {a.cutmix_alpha:g}){_until(a)}": a.cutmix_alpha and a.mixes,
    }
    return [words for words, on in said.items() if on]


def _until(augment: AugmentConfig) -> str:
    return "" if augment.mix_until_01 == 1 else f" in the first {_percent(augment.mix_until_01)} of the epochs"


def _percent(share_01: float) -> str:
    return f"{100 * share_01:g} %"
