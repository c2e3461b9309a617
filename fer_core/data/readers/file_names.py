"""Information in file names: image suffixes, split folders, and matches of a manifest's patterns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fer_core.data.manifest import Manifest
from fer_core.data.record import Split, match_split_name
from fer_core.data.sources.byte_range import read_head
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError
from fer_core.images.formats import HEAD_BYTES, detect_format

IMAGE_SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".webp", ".avif", ".heic", ".heif", ".hif"),
    *(".gif", ".bmp", ".dib", ".tif", ".tiff", ".pbm", ".pgm", ".ppm", ".pnm"),
)
_OTHER_SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".md", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".html", ".pdf", ".xlsx", ".parquet"),
    *(".npy", ".npz", ".mat", ".pts", ".lst", ".py", ".m", ".zip", ".mp4", ".avi", ".wav"),
)
"""Common suffixes of files that are never images; other files are opened to detect the format."""


def is_image(name: str) -> bool:
    """Whether a name has an image suffix."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def image_names(source: Source) -> list[str]:
    """List the source's images, sorted, judging by suffix or by the first bytes."""
    return [name for name in source.names() if is_image(name) or _has_image_header(source, name)]


def _has_image_header(source: Source, name: str) -> bool:
    if name.lower().endswith(_OTHER_SUFFIXES):
        return False
    try:
        return detect_format(read_head(source.locate(name), HEAD_BYTES)) is not None
    except DatasetError:
        return False


def split_from_path(name: str) -> Split | None:
    """Return the split of the first folder in the path that names one."""
    return split_from_folders(name.split("/")[:-1])


def split_from_folders(folders: Sequence[str]) -> Split | None:
    """Return the split of the first folder that names one."""
    return next((split for split in map(match_split_name, folders) if split), None)


class NamePatterns:
    """A manifest's patterns, searched in file names without folders."""

    def __init__(self, manifest: Manifest) -> None:
        self._identity = _compile(manifest.identity_pattern)
        self._label = _compile(manifest.label_pattern)
        self._subgroups = {name: re.compile(pattern) for name, pattern in manifest.subgroup_patterns.items()}

    def identity(self, path: str) -> str | None:
        """Return the person that the name tells, if any."""
        return _search(self._identity, path)

    def label(self, path: str) -> str:
        """Return the raw label that the name tells; "" if none."""
        return _search(self._label, path) or ""

    def subgroups(self, path: str) -> tuple[tuple[str, str], ...]:
        """Return the subgroups that the name tells."""
        if not self._subgroups:
            return ()
        values = ((name, _search(pattern, path)) for name, pattern in self._subgroups.items())
        return tuple((name, value) for name, value in values if value)


def _compile(pattern: str) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern else None


def _search(pattern: re.Pattern[str] | None, path: str) -> str | None:
    match = pattern.search(path.rpartition("/")[2]) if pattern else None
    return match.group(1) if match else None
