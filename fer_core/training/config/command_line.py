"""A config as the command that makes the same run: a file and what is changed about it. Needs no torch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from fer_core.training.config.train_config import TrainConfig, flatten, parse_config, presets, read_yaml

_UNQUOTED = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
"""Text that needs no quotes in YAML, unless YAML takes it for something else, such as `no`."""


def closest_preset(config: TrainConfig) -> tuple[str, list[str]]:
    """The preset that needs the fewest changes to become `config`, and the changes as `--set` takes them."""
    found = [(name, changes_from_file(path, config)) for name, path in presets().items()]
    return min(found, key=lambda each: len(each[1]))


def changes_from_file(path: Path, config: TrainConfig) -> list[str]:
    """The `key=value` changes that make `config` of the config file at `path`.

    Raises:
        ConfigError: the file is missing, or is no config.
    """
    written, after = read_yaml(path), config.model_dump(mode="json")
    before = flatten(parse_config(written, path.name))
    assert isinstance(written, dict)
    changed: dict[str, Any] = {}
    for key, value in flatten(after).items():
        if value == before[key]:
            continue
        head = key.partition(".")[0]
        whole = head != key and not isinstance(written.get(head, {}), dict)  # such as a remedy given by its name
        changed[head if whole else key] = after[head] if whole else value
    return [f"{key}={to_inline_yaml(value)}" for key, value in changed.items()]


def to_inline_yaml(value: Any) -> str:
    """One value on one line, as YAML reads it back."""
    if isinstance(value, str) and _UNQUOTED.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    if isinstance(value, float):
        return yaml.safe_dump(value).split("\n", 1)[0]
    return json.dumps(value, ensure_ascii=False)
