"""Layout "folders": `train/happiness/a.png`, `0_happy/a.png`, `happiness/s01/a.png` or `s01/happiness/a.png`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fer_core.data.label_mapping.label_map import build_label_map
from fer_core.data.label_mapping.synonyms import parse_expression_name
from fer_core.data.manifest import Manifest
from fer_core.data.readers.file_names import NamePatterns, image_names, is_image, split_from_folders
from fer_core.data.readers.folder_levels import FolderLevels, find_folder_levels
from fer_core.data.readers.reader import Reader
from fer_core.data.record import Record, Split
from fer_core.data.sources.source import Source


def matches(names: Sequence[str]) -> bool:
    """Whether images lie in folders named after expressions, or in folders named by a few numbers."""
    levels = find_folder_levels(filter(is_image, names), lambda name: parse_expression_name(name) is not None)
    return levels.n_known > 0 or levels.are_codes


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """Yield one record per image: its class folder is the label, another folder may be the person."""
    patterns = NamePatterns(manifest)
    names = image_names(source)
    levels = get_folder_levels(names, manifest)
    by_folder: dict[str, tuple[Split | None, str, str | None]] = {}
    for name in names:
        folder = name.rpartition("/")[0]
        if folder not in by_folder:
            by_folder[folder] = _parse_folder(folder, levels)
        split, label, identity = by_folder[folder]
        yield Record(
            path=name,
            split=split,
            raw_label=label,
            identity=patterns.identity(name) if manifest.identity_pattern else identity,
            subgroups=patterns.subgroups(name),
        )


def _parse_folder(folder: str, levels: FolderLevels) -> tuple[Split | None, str, str | None]:
    """Return the split, label and identity that a folder's path names."""
    if not folder:
        return None, "", None
    folders = folder.split("/")
    index = levels.class_index(folders)
    return split_from_folders(folders[:index] + folders[index + 1 :]), folders[index], levels.identity(folders)


def get_folder_levels(names: Sequence[str], manifest: Manifest) -> FolderLevels:
    """Detect the folder levels; the manifest may state that of the identity."""
    levels = find_folder_levels(names, build_label_map(manifest, {}, {}).is_known)
    return levels if manifest.identity_folder is None else replace(levels, identity_level=manifest.identity_folder)


READER = Reader(
    layout="folders",
    title="Class folders",
    description="one folder per class (happiness/a.png), above or below folders of splits or people",
    matches=matches,
    read=read,
)
