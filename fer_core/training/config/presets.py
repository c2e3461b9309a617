"""The presets with what they are: a title from the file, and words from the comment it begins with. Needs no torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from fer_core.training.config.train_config import TrainConfig, load_config, presets

_OWN = ("small-soft", "balanced", "teacher", "webcam")
"""First, as they are the ones to begin with; the studies follow by name."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s")


@dataclass(frozen=True, slots=True)
class Preset:
    """A config that comes with FERscope.

    Attributes:
        name: how the command line calls it.
        about: the words that its file begins with, a few sentences.
        config: what it asks for.
    """

    name: str
    path: Path
    about: str
    config: TrainConfig

    @property
    def title(self) -> str:
        """How people call it."""
        return self.config.title

    @property
    def sentence(self) -> str:
        """The first sentence about it."""
        return _SENTENCE_END.split(self.about, maxsplit=1)[0]


def _preset(name: str, path: Path) -> Preset:
    lines = path.read_text(encoding="utf-8").splitlines()
    first_key = next((place for place, line in enumerate(lines) if not line.startswith("#")), len(lines))
    about = " ".join(line.removeprefix("#").strip() for line in lines[:first_key])
    return Preset(name, path, about, load_config(path))


def _all() -> dict[str, Preset]:
    paths = presets()
    names = [*_OWN, *sorted(paths.keys() - set(_OWN))]
    return {name: _preset(name, paths[name]) for name in names}


PRESETS: dict[str, Preset] = _all()
"""By name, those to begin with first."""
