"""What file names say: whether it is an image, its split folder, and what a manifest's patterns find in them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from fer_core.data.manifest import Manifest
from fer_core.data.record import SPLIT_NAMES, Split

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".pgm", ".ppm")


def is_image(name: str) -> bool:
    """Whether a name ends like an image's."""
    return name.lower().endswith(IMAGE_ENDINGS)


def split_of(name: str, above: int = 1) -> Split | None:
    """The split that a folder of the path names, leaving out the file and `above - 1` folders above it."""
    for part in name.split("/")[:-above]:
        if part.lower() in SPLIT_NAMES:
            return SPLIT_NAMES[part.lower()]
    return None


class NamePatterns:
    """A manifest's patterns, searched in the last part of a path."""

    def __init__(self, manifest: Manifest) -> None:
        self._identity = _compiled(manifest.identity_pattern)
        self._label = _compiled(manifest.label_pattern)
        self._subgroups = {name: re.compile(pattern) for name, pattern in manifest.subgroup_patterns.items()}

    def identity(self, path: str) -> str | None:
        """The person, where the name tells."""
        return _found(self._identity, path)

    def label(self, path: str) -> str:
        """The label's own word, "" where the name tells none."""
        return _found(self._label, path) or ""

    def subgroups(self, path: str) -> tuple[tuple[str, str], ...]:
        """What else the name tells."""
        if not self._subgroups:
            return ()
        found = ((name, _found(pattern, path)) for name, pattern in self._subgroups.items())
        return tuple((name, value) for name, value in found if value)


def has(names: Sequence[str], name: str) -> bool:
    """Whether a sorted list has a name."""
    place = bisect_left(names, name)
    return place < len(names) and names[place] == name


def _compiled(pattern: str) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern else None


def _found(pattern: re.Pattern[str] | None, path: str) -> str | None:
    found = pattern.search(path.rpartition("/")[2]) if pattern else None
    return found.group(1) if found else None
