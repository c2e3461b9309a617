"""Built-in presets: title and summary from their files. Needs no torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from fer_core.training.config.train_config import TrainConfig, load_config, preset_paths

_OWN = ("small-soft", "balanced", "teacher", "webcam")
"""Listed first; the presets of the studies follow by name."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s")


@dataclass(frozen=True, slots=True)
class Preset:
    """A config that comes with FERscope; `summary` is the first sentence of the comment at the top of its file."""

    name: str
    path: Path
    summary: str
    config: TrainConfig

    @property
    def title(self) -> str:
        """Its display name."""
        return self.config.title


def _load_preset(name: str, path: Path) -> Preset:
    comment = takewhile(lambda line: line.startswith("#"), path.read_text(encoding="utf-8").splitlines())
    text = " ".join(line.removeprefix("#").strip() for line in comment)
    return Preset(name, path, _SENTENCE_END.split(text, maxsplit=1)[0], load_config(path))


def _load_presets() -> dict[str, Preset]:
    paths = preset_paths()
    return {name: _load_preset(name, paths[name]) for name in (*_OWN, *sorted(paths.keys() - set(_OWN)))}


PRESETS: dict[str, Preset] = _load_presets()
"""Built-in presets by name."""
