"""Detection of the folder levels that name an image's class and identity."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from fer_core.data.label_mapping.numberings import parse_code
from fer_core.data.record import match_split_name

_CODES_MAX = 12
"""Largest number of class codes, and largest code."""

_COVERED_MIN_01 = 0.9
"""Smallest share of the images below a level of class codes or identities."""

_IDENTITIES_MIN = 3
_IDENTITY = re.compile(r"^(s|p|m|f|id|sub|subj|subject|pers|person|actor|user|participant)[-_ ]?\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FolderLevels:
    """Levels of the folders above images, counted from the image: 1 is the folder that it lies in.

    Attributes:
        label_level: level of the class folders.
        identity_level: level of the folders named after people; 0 if there is none.
        n_known: number of images whose class folder names an expression.
        are_codes: whether the class folders are numbers.
        is_known: whether a folder's name is a known label.
    """

    label_level: int
    identity_level: int
    n_known: int
    are_codes: bool
    is_known: Callable[[str], bool]

    def class_index(self, folders: list[str]) -> int:
        """Return the index of the class folder: that at the label level, unless only another one is a known label."""
        index = len(folders) - self.label_level
        if index >= 0 and self.is_known(folders[index]):
            return index
        known = [index for index, folder in enumerate(folders) if self.is_known(folder)]
        return known[-1] if known else index if index >= 0 else len(folders) - 1

    def identity(self, folders: list[str]) -> str | None:
        """Return the person that the folders name, if any."""
        index = len(folders) - self.identity_level
        return folders[index] if self.identity_level and index >= 0 and not match_split_name(folders[index]) else None


def find_folder_levels(names: Iterable[str], is_known: Callable[[str], bool]) -> FolderLevels:
    """Detect the levels from the paths of all images.

    Args:
        is_known: whether a folder's name is an expression, or a label that a manifest maps.
    """
    folders = Counter(name.rpartition("/")[0] for name in names)
    levels = _count_by_level(folders)
    total = sum(folders.values())
    n_known = {level: sum(n for name, n in counts.items() if is_known(name)) for level, counts in levels.items()}
    label = max(n_known, key=lambda level: (n_known[level], -level), default=1)
    are_codes = False
    if not n_known.get(label):
        codes = [level for level, counts in levels.items() if _are_codes(counts, total)]
        label, are_codes = (codes[0], True) if codes else (1, False)
    identity = _find_identity_level(folders, levels, label, total)
    return FolderLevels(label, identity, n_known.get(label, 0), are_codes, is_known)


def _count_by_level(folders: Mapping[str, int]) -> dict[int, Counter[str]]:
    """Count the images by folder name at each level, nearest level first."""
    levels: dict[int, Counter[str]] = {}
    for path, n in folders.items():
        for level, folder in enumerate(reversed(path.split("/")), 1):
            if folder:
                levels.setdefault(level, Counter())[folder] += n
    return dict(sorted(levels.items()))


def _are_codes(counts: Counter[str], total: int) -> bool:
    """Whether a level's folders are a few small numbers."""
    codes = {name: n for name, n in counts.items() if parse_code(name) and int(parse_code(name)) <= _CODES_MAX}
    return 2 <= len(codes) <= _CODES_MAX and sum(codes.values()) >= _COVERED_MIN_01 * total


def _find_identity_level(folders: Mapping[str, int], levels: Mapping[int, Counter[str]], label: int, total: int) -> int:
    """Find the level whose folders look like people; 0 if there is none.

    People have names such as s01, names with digits, or folders in several classes. Of several levels, names such as
    s01 are preferred, then levels below the class, then the uppermost.
    """
    candidates = [
        level for level in levels if level != label and _are_identities(folders, levels[level], level, label, total)
    ]

    def rank(level: int) -> tuple[bool, bool, int]:
        like_ids = sum(bool(_IDENTITY.match(name)) for name in levels[level]) > len(levels[level]) / 2
        return like_ids, level < label, level

    return max(candidates, key=rank, default=0)


def _are_identities(folders: Mapping[str, int], counts: Counter[str], level: int, label: int, total: int) -> bool:
    names = {name: n for name, n in counts.items() if not match_split_name(name)}
    if len(names) < _IDENTITIES_MIN or sum(names.values()) < _COVERED_MIN_01 * total:
        return False
    if sum(any(map(str.isdigit, name)) for name in names) > len(names) / 2:
        return True
    classes: dict[str, set[str]] = {}
    for path in folders:
        parts = path.split("/")
        if len(parts) >= max(level, label):
            classes.setdefault(parts[-level], set()).add(parts[-label])
    return sum(len(labels) > 1 for labels in classes.values()) > len(classes) / 2
