"""Express a config as a preset or file with `--set` changes. Needs no torch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from fer_core.training.config.train_config import TrainConfig, flatten, parse_config, preset_paths, read_yaml

_UNQUOTED = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
"""Text that needs no quotes in YAML, except for words with a meaning such as `no`."""


def closest_preset(config: TrainConfig) -> tuple[str, list[str]]:
    """Find the preset that needs the fewest changes to become `config`; returns it and the `--set` changes."""
    candidates = [(name, changes_from_file(path, config)) for name, path in preset_paths().items()]
    return min(candidates, key=lambda candidate: len(candidate[1]))


def changes_from_file(path: Path, config: TrainConfig) -> list[str]:
    """List the `key=value` changes that turn the config file at `path` into `config`.

    Raises:
        ConfigError: the file is missing or not a config.
    """
    written, after = read_yaml(path), config.model_dump(mode="json")
    before = flatten(parse_config(written, path.name))
    assert isinstance(written, dict)
    changed: dict[str, Any] = {}
    for key, value in flatten(after).items():
        if value == before[key]:
            continue
        head = key.partition(".")[0]
        whole = head != key and not isinstance(written.get(head, {}), dict)  # such as a named rebalancing strategy
        changed[head if whole else key] = after[head] if whole else value
    return [f"{key}={to_inline_yaml(value)}" for key, value in changed.items()]


def to_inline_yaml(value: Any) -> str:
    """Format a value as YAML on one line."""
    if isinstance(value, str) and _UNQUOTED.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    if isinstance(value, float):
        return yaml.safe_dump(value).split("\n", 1)[0]
    return json.dumps(value, ensure_ascii=False)
