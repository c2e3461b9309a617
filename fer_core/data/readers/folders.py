"""Class folders: `train/happiness/a.png`, `0_happy/a.png`, `happiness/s01/a.png` or `s01/happiness/a.png`."""

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
    """Whether images lie in folders named after expressions, or all in folders named by a few numbers."""
    levels = find_folder_levels(filter(is_image, names), lambda name: parse_expression_name(name) is not None)
    return levels.n_known > 0 or levels.are_codes


def read(source: Source, manifest: Manifest) -> Iterator[Record]:
    """A record for each image: its class folder's name is the label, another folder's may be the person."""
    patterns = NamePatterns(manifest)
    names = image_names(source)
    levels = get_folder_levels(names, manifest)
    told: dict[str, tuple[Split | None, str, str | None]] = {}
    for name in names:
        folder = name.rpartition("/")[0]
        if folder not in told:
            told[folder] = _told(folder, levels)
        split, label, person = told[folder]
        yield Record(
            path=name,
            split=split,
            raw_label=label,
            identity=patterns.identity(name) if manifest.identity_pattern else person,
            subgroups=patterns.subgroups(name),
        )


def _told(folder: str, levels: FolderLevels) -> tuple[Split | None, str, str | None]:
    """Split, label and person that the path of a folder tells."""
    if not folder:
        return None, "", None
    folders = folder.split("/")
    place = levels.class_index(folders)
    return split_from_folders(folders[:place] + folders[place + 1 :]), folders[place], levels.identity(folders)


def get_folder_levels(names: Sequence[str], manifest: Manifest) -> FolderLevels:
    """Which folders above images name class and person; the manifest may say the person's."""
    levels = find_folder_levels(names, build_label_map(manifest, {}, {}).is_known)
    return levels if manifest.identity_folder is None else replace(levels, identity_level=manifest.identity_folder)


READER = Reader(
    layout="folders",
    title="A folder a class",
    description="a folder a class (happiness/a.png), with or without folders named train, valid and test, or after "
    "persons, above or below them",
    matches=matches,
    read=read,
)
