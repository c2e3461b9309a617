"""What file names say: whether it is an image, its split folder, and what a manifest's patterns find in them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from fer_core.data.manifest import Manifest
from fer_core.data.record import Split, match_split_name
from fer_core.data.sources.byte_range import read_head
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError
from fer_core.images.formats import HEAD_BYTES, detect_format

IMAGE_ENDINGS = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".webp", ".avif", ".heic", ".heif", ".hif"),
    *(".gif", ".bmp", ".dib", ".tif", ".tiff", ".pbm", ".pgm", ".ppm", ".pnm"),
)
_OTHER_ENDINGS = (
    *(".csv", ".tsv", ".txt", ".md", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".html", ".pdf", ".xlsx", ".parquet"),
    *(".npy", ".npz", ".mat", ".pts", ".lst", ".py", ".m", ".zip", ".mp4", ".avi", ".wav"),
)
"""What often lies beside images by the thousand: such files are not opened to see whether they are any."""


def is_image(name: str) -> bool:
    """Whether a name ends like an image's."""
    return name.lower().endswith(IMAGE_ENDINGS)


def image_names(source: Source) -> list[str]:
    """The source's images, sorted: files that end like one, and those whose content begins like one."""
    return [name for name in source.names() if is_image(name) or _begins_like_an_image(source, name)]


def _begins_like_an_image(source: Source, name: str) -> bool:
    if name.lower().endswith(_OTHER_ENDINGS):
        return False
    try:
        return detect_format(read_head(source.locate(name), HEAD_BYTES)) is not None
    except DatasetError:
        return False


def split_from_path(name: str, above: int = 1) -> Split | None:
    """The split that a folder of the path names, leaving out the file and `above - 1` folders above it."""
    return split_from_folders(name.split("/")[:-above])


def split_from_folders(folders: Sequence[str]) -> Split | None:
    """The split that the first of some folders names that names one."""
    return next((split for split in map(match_split_name, folders) if split), None)


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


def contains_name(names: Sequence[str], name: str) -> bool:
    """Whether a sorted list has a name."""
    place = bisect_left(names, name)
    return place < len(names) and names[place] == name


def _compiled(pattern: str) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern else None


def _found(pattern: re.Pattern[str] | None, path: str) -> str | None:
    found = pattern.search(path.rpartition("/")[2]) if pattern else None
    return found.group(1) if found else None
