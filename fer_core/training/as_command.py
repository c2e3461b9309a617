"""A config as the command that makes the same run: a preset and what is changed about it. Needs no torch."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from fer_core.training.config import TrainConfig, flat, load_config, presets

_PLAIN = re.compile(r"\w([\w .-]*\w)?")


def nearest_preset(config: TrainConfig) -> tuple[str, list[str]]:
    """The preset that needs the fewest changes to become `config`, and the changes as `--set` takes them."""
    asked = flat(config)
    best: tuple[str, list[str]] | None = None
    for name, path in presets().items():
        has = flat(load_config(path))
        changes = [f"{key}={_written(value)}" for key, value in asked.items() if value != has[key]]
        if best is None or len(changes) < len(best[1]):
            best = name, changes
    assert best is not None, "FERscope comes with presets"
    return best


def _written(value: Any) -> str:
    """As YAML that is read back as the same: words as they are where that is enough."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    if isinstance(value, float):
        return f"{value:.1e}" if float(f"{value:.1e}") == value and value < 1e-3 else repr(value)
    return json.dumps(value, ensure_ascii=False)
