"""The model card's sections on the network, the training data and the training command."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote

import yaml

from fer_core.bundles.bundle import BundleInfo
from fer_core.contract import Contract
from fer_core.data.dataset_title import known_dataset_title
from fer_core.data.manifest import builtin_manifests
from fer_core.errors import ConfigError
from fer_core.files.migration import MANIFEST_IDS
from fer_core.markdown import escape_markdown
from fer_core.models.catalog import MODELS
from fer_core.training.config.command_line import closest_preset
from fer_core.training.config.train_config import TrainConfig, load_config

_NORMALIZATIONS = {
    "byte": "pixel values 0 to 255",
    "unit": "divided by 255",
    "image": "each image standardized by its own mean and standard deviation",
    "channel": "divided by 255, then standardized by ImageNet's mean and standard deviation",
}
_LINE_CHARACTERS = 100


def network_lines(info: BundleInfo, contract: Contract) -> list[str]:
    """List facts about the network."""
    model = MODELS.get(info.architecture)
    network = f"{model.title} (`{model.name}`; {model.source})" if model else escape_markdown(info.architecture)
    pixels = f"{contract.size_px} by {contract.size_px} px, {'gray' if contract.color == 'gray' else 'RGB'}"
    margin = contract.crop_margin_01
    crop = "as in FER2013" + (f", with a margin of {margin:+.0%} of the side on each side" if margin else "")
    facts = {
        "Network": f"{network}, {info.parameters:,} parameters" if network else "",
        "Input": f"{pixels}, {_NORMALIZATIONS[contract.normalization]}; faces are cropped {crop}",
        "Output": f"{', '.join(map(str, contract.labels))}, in this order",
        "Created": escape_markdown(info.created),
        "ID": f"`{info.id}`" if info.id else "",
    }
    return [f"- **{name}**: {value}" for name, value in facts.items() if value]


def dataset_name(info: BundleInfo) -> str:
    """The title of the training data."""
    return escape_markdown(known_dataset_title(info.dataset)) or "unnamed data"


def data_lines(info: BundleInfo) -> list[str]:
    """The training data and the license."""
    manifest = builtin_manifests().get(MANIFEST_IDS.get(info.dataset, info.dataset))
    lines = []
    if info.origin == "weights":
        lines.append("- **Trained on**: unknown; the weights were imported from a file")
        if dataset := info.metrics.get("dataset"):
            lines.append(f"- **Calibrated and evaluated on**: `{escape_markdown(str(dataset))}`")
    elif manifest:
        home = f", {manifest.homepage}" if manifest.homepage else ""
        lines.append(f"- **Trained on**: {manifest.title} (`{manifest.id}`{home}). {manifest.summary}")
        lines += [f"- **Citation**: {manifest.citation}"] if manifest.citation else []
    elif info.dataset:
        kind = ", synthetic faces" if info.synthetic else ""
        lines.append(f"- **Trained on**: `{escape_markdown(info.dataset)}`{kind}")
    lines.append(f"- **License**: {escape_markdown(info.license) or 'not stated'}")
    return [*lines, ""]


def training_command_lines(info: BundleInfo, config_file: Path) -> list[str]:
    """Format the command that repeats the training, and the config without default values."""
    if not config_file.is_file():
        return []
    try:
        config = load_config(config_file)
    except ConfigError:
        return ["Its `config.yaml` was written by another version of FERscope and can't be shown here.", ""]
    if info.origin == "weights":
        text = "How it was trained is unknown. The network:"
        return [text, "", *_block("yaml", _non_default_values(_network_of(config), "dataset"))]
    preset, changes = closest_preset(config)
    lines = ["This command repeats the training:", ""]
    lines += _block("sh", _command(preset, changes))
    return [
        *lines,
        "Its config, where it differs from the defaults:",
        "",
        *_block("yaml", _non_default_values(config)),
    ]


def _network_of(config: TrainConfig) -> TrainConfig:
    """The config of the network alone."""
    return TrainConfig(dataset="", model=config.model, flip_tta=config.flip_tta)


def _non_default_values(config: TrainConfig, *without: str) -> str:
    values = config.model_dump(mode="json", exclude_defaults=True, exclude=set(without))
    values["model"] = config.model.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True).rstrip()


def _command(preset: str, changes: list[str]) -> str:
    """Wrap the command over several lines."""
    lines = [f"python -m fer_core train --config {preset}"]
    for change in changes:
        flag = f"--set {quote(change)}"
        if len(lines[-1]) + len(flag) + 1 > _LINE_CHARACTERS:
            lines.append(f"  {flag}")
        else:
            lines[-1] += f" {flag}"
    return " \\\n".join(lines)


def _block(language: str, content: str) -> list[str]:
    """Format a fenced block, with a longer fence than any in the content."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", content)), default=0))
    return [f"{fence}{language}", *content.splitlines(), fence, ""]
