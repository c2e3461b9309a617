"""Which of the folders above an image names its class, and which the person, told from all folders together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from fer_core.data.label_mapping.numberings import parse_code
from fer_core.data.record import match_split_name

_CODES_MAX = 12
"""More numbers than this are no class codes."""

_COVERED_MIN_01 = 0.9
"""Share of the images that a level of numbers, or of persons, must hold."""

_PERSONS_MIN = 3
_PERSON = re.compile(r"^(s|p|m|f|id|sub|subj|subject|pers|person|actor|user|participant)[-_ ]?\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FolderLevels:
    """Folders by their distance from the image: 1 is the one that it lies in.

    Attributes:
        label_level: the class folder.
        identity_level: the folder that is named after the person; 0 where there is none.
        n_known: images whose class folder's name means an expression.
        are_codes: whether the class folders are numbers, of which nobody knows what they mean.
    """

    label_level: int
    identity_level: int
    n_known: int
    are_codes: bool
    is_known: Callable[[str], bool]

    def class_index(self, folders: list[str]) -> int:
        """Where among an image's folders its class folder is; below 0 where it has none.

        It is at the level of most images; where that has no known class name and another folder has, it is that one.
        """
        place = len(folders) - self.label_level
        if place >= 0 and self.is_known(folders[place]):
            return place
        known = [number for number, folder in enumerate(folders) if self.is_known(folder)]
        return known[-1] if known else place if place >= 0 else len(folders) - 1

    def identity(self, folders: list[str]) -> str | None:
        """The person that an image's folders name."""
        place = len(folders) - self.identity_level
        return folders[place] if self.identity_level and place >= 0 and not match_split_name(folders[place]) else None


def find_folder_levels(names: Iterable[str], is_known: Callable[[str], bool]) -> FolderLevels:
    """Find the levels.

    Args:
        names: images.
        is_known: whether a folder's name means an expression, or a label that a manifest maps.
    """
    folders = Counter(name.rpartition("/")[0] for name in names)
    levels = _levels(folders)
    total = sum(folders.values())
    n_known = {level: sum(n for name, n in held.items() if is_known(name)) for level, held in levels.items()}
    label = max(n_known, key=lambda level: (n_known[level], -level), default=1)
    are_codes = False
    if not n_known.get(label):
        codes = [level for level, held in levels.items() if _are_codes(held, total)]
        label, are_codes = (codes[0], True) if codes else (1, False)
    person = _find_identity_level(folders, levels, label, total)
    return FolderLevels(label, person, n_known.get(label, 0), are_codes, is_known)


def _levels(folders: Mapping[str, int]) -> dict[int, Counter[str]]:
    """For each level the images by the folder's name there, the nearest level first."""
    levels: dict[int, Counter[str]] = {}
    for path, number in folders.items():
        for level, folder in enumerate(reversed(path.split("/")), 1):
            if folder:
                levels.setdefault(level, Counter())[folder] += number
    return dict(sorted(levels.items()))


def _are_codes(held: Counter[str], total: int) -> bool:
    """Whether a level's folders are a few small numbers."""
    codes = {name: number for name, number in held.items() if parse_code(name) and int(parse_code(name)) <= _CODES_MAX}
    return 2 <= len(codes) <= _CODES_MAX and sum(codes.values()) >= _COVERED_MIN_01 * total


def _find_identity_level(folders: Mapping[str, int], levels: Mapping[int, Counter[str]], label: int, total: int) -> int:
    """The level whose folders seem to be persons; 0 where none does.

    Persons are several; they are called s01 and the like, have digits in their names, or are met in several classes.
    Where more than one level is like that, names such as s01 win, then the level below the class, then the upper one.
    """
    others = [level for level in levels if level != label]
    fitting = [level for level in others if _are_identities(folders, levels[level], level, label, total)]

    def rank(level: int) -> tuple[bool, bool, int]:
        like_ids = sum(bool(_PERSON.match(name)) for name in levels[level]) > len(levels[level]) / 2
        return like_ids, level < label, level

    return max(fitting, key=rank, default=0)


def _are_identities(folders: Mapping[str, int], held: Counter[str], level: int, label: int, total: int) -> bool:
    names = {name: number for name, number in held.items() if not match_split_name(name)}
    if len(names) < _PERSONS_MIN or sum(names.values()) < _COVERED_MIN_01 * total:
        return False
    if sum(any(map(str.isdigit, name)) for name in names) > len(names) / 2:
        return True
    classes: dict[str, set[str]] = {}
    for path in folders:
        parts = path.split("/")
        if len(parts) >= max(level, label):
            classes.setdefault(parts[-level], set()).add(parts[-label])
    return sum(len(found) > 1 for found in classes.values()) > len(classes) / 2
