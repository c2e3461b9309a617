"""A model card's words on what the model is made of, on which data, and by which command."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote

import yaml

from fer_core.bundles.bundle import BundleInfo
from fer_core.contract import Contract
from fer_core.data.manifest import builtin_manifests
from fer_core.errors import ConfigError
from fer_core.files.migration import MANIFEST_IDS
from fer_core.markdown import plain
from fer_core.models.catalog import MODELS
from fer_core.training.config.command_line import closest_preset
from fer_core.training.config.train_config import TrainConfig, load_config

_NORMALIZATIONS = {
    "byte": "0 to 255, as they are",
    "unit": "divided by 255",
    "image": "each image less its mean, divided by its standard deviation",
    "channel": "divided by 255, then by ImageNet's mean and deviation",
}
_LINE_CHARACTERS = 100


def fact_lines(info: BundleInfo, contract: Contract) -> list[str]:
    """Facts, one a line."""
    model = MODELS.get(info.architecture)
    named = f"{model.title} (`{model.name}`; {model.source})" if model else plain(info.architecture)
    pixels = f"{contract.size_px} by {contract.size_px} px, {'gray' if contract.color == 'gray' else 'RGB'}"
    margin = contract.crop_margin_01
    crop = "as FER2013's are" + (f", with {margin:+.0%} of the side on each side" if margin else "")
    facts = {
        "Network": f"{named}, {info.parameters:,} parameters" if named else "",
        "Input": f"{pixels}, {_NORMALIZATIONS[contract.normalization]}; faces are cut from a picture {crop}",
        "Output": f"{', '.join(map(str, contract.labels))}, in this order",
        "Made": plain(info.created),
        "Id": f"`{info.id}`" if info.id else "",
    }
    return [f"- **{name}**: {value}" for name, value in facts.items() if value]


def dataset_name(info: BundleInfo) -> str:
    """What people call the data that it was trained on."""
    manifest = builtin_manifests().get(MANIFEST_IDS.get(info.dataset, info.dataset))
    return manifest.title if manifest else plain(info.dataset) or "data that it does not name"


def data_lines(info: BundleInfo) -> list[str]:
    """What it was trained on, and what may be done with it."""
    manifest = builtin_manifests().get(MANIFEST_IDS.get(info.dataset, info.dataset))
    lines = []
    if info.origin == "weights":
        lines.append("- **Trained on**: not known; the weights were given as a file")
        if calibrated := info.metrics.get("dataset"):
            lines.append(f"- **Calibrated and judged on**: `{plain(str(calibrated))}`")
    elif manifest:
        home = f", {manifest.homepage}" if manifest.homepage else ""
        lines.append(f"- **Trained on**: {manifest.title} (`{manifest.id}`{home}). {manifest.summary}")
        lines += [f"- **Its source**: {manifest.citation}"] if manifest.citation else []
    elif info.dataset:
        drawn = ", drawings of nobody" if info.synthetic else ""
        lines.append(f"- **Trained on**: `{plain(info.dataset)}`{drawn}")
    lines.append(f"- **License**: {plain(info.license) or 'not said'}")
    return [*lines, ""]


def recipe_lines(info: BundleInfo, config_file: Path) -> list[str]:
    """The command that makes such a run, and what its config says beside the defaults."""
    if not config_file.is_file():
        return []
    try:
        config = load_config(config_file)
    except ConfigError:
        return ["Its `config.yaml` is of another version of FERscope; it is in the bundle.", ""]
    if info.origin == "weights":
        said = "How it was trained is not known. What is known is the network:"
        return [said, "", *_block("yaml", _other_than_defaults(_network_of(config), "dataset"))]
    preset, changes = closest_preset(config)
    lines = ["This makes such a run; the chance of its seed is part of it:", ""]
    lines += _block("sh", _command(preset, changes))
    return [*lines, "What that config says beside the defaults:", "", *_block("yaml", _other_than_defaults(config))]


def _network_of(config: TrainConfig) -> TrainConfig:
    """What a config says of the network alone."""
    return TrainConfig(dataset="", model=config.model, flip_tta=config.flip_tta)


def _other_than_defaults(config: TrainConfig, *without: str) -> str:
    asked = config.model_dump(mode="json", exclude_defaults=True, exclude=set(without))
    asked["model"] = config.model.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(asked, sort_keys=False, allow_unicode=True).rstrip()


def _command(preset: str, changes: list[str]) -> str:
    """The command over as many lines as it takes."""
    lines = [f"python -m fer_core train --config {preset}"]
    for change in changes:
        word = f"--set {quote(change)}"
        if len(lines[-1]) + len(word) + 1 > _LINE_CHARACTERS:
            lines.append(f"  {word}")
        else:
            lines[-1] += f" {word}"
    return " \\\n".join(lines)


def _block(language: str, content: str) -> list[str]:
    """A fenced block that nothing in the content ends: its fence is longer than any that the content has."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", content)), default=0))
    return [f"{fence}{language}", *content.splitlines(), fence, ""]
