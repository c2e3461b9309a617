"""What a reader says of one image, before the image is opened."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from fer_core.errors import InputError


class Split(StrEnum):
    """The parts of a dataset."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"

    @classmethod
    def parse(cls, name: str) -> Split:
        """The split that `name` means; "val", "validation" and the like are understood.

        Raises:
            InputError: it means none.
        """
        try:
            return SPLIT_NAMES[name.strip().lower()]
        except KeyError:
            raise InputError(f"{name!r} is not a split. Choose one of: {', '.join(cls)}.") from None


SPLIT_NAMES: dict[str, Split] = {
    **dict.fromkeys(("train", "training", "fer2013train", "train_set"), Split.TRAIN),
    **dict.fromkeys(
        ("valid", "val", "validation", "dev", "fer2013valid", "val_set", "valid_set", "publictest"), Split.VALID
    ),
    **dict.fromkeys(("test", "testing", "fer2013test", "test_set", "privatetest"), Split.TEST),
}
"""Folder and column names that mean a split, in lower case."""

_WORD = re.compile(r"[^\W\d_]+")
_BESIDE_SPLITS = frozenset(
    [
        *("set", "data", "dataset", "images", "image", "img", "faces", "face", "split", "part", "labels", "label"),
        *("list", "annotations", "folder", "cropped", "aligned"),
        *("fer", "ferplus", "rafdb", "raf", "affectnet", "expw", "ck"),
    ]
)
"""Words beside a split's name that change nothing."""


def match_split_name(text: str) -> Split | None:
    """The split that a folder's or file's name means, such as `train`, `Test Images` or `fer2013_val`; else None."""
    lower = text.strip().lower()
    if lower in SPLIT_NAMES:
        return SPLIT_NAMES[lower]
    words = _WORD.findall(lower.replace("_", " "))
    named = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
    rest = [word for word in words if word not in SPLIT_NAMES and word not in _BESIDE_SPLITS]
    return named.pop() if len(named) == 1 and not rest else None


@dataclass(frozen=True, slots=True)
class Record:
    """One image of a source, or one face of an image.

    Attributes:
        path: the file's name in the source.
        split: the published part, where there is one.
        raw_label: the source's own word or code for the label, before any mapping; "" where it gives none.
        votes: ten columns in the order of `votes.VOTE_COLUMNS`.
        identity: the person (or drawn identity), where known.
        valence, arousal: -1..1 (Russell's circumplex), where given.
        box: the face within the image, pixels: left, top, right, bottom, half-open; None for the whole image.
        landmarks: x0, y0, x1, y1, … in pixels of the whole image, where given.
        subgroups: name and value of what else is known of the person or picture, such as ("gender", "F").
        match_rule: how the file was found where the source calls it otherwise (`file_matcher.MatchRule`), else "".
        problem: why there is no image to open, as far as the reader knows; "" where there is one.
        ambiguous: the problem is that several files could be meant.
    """

    path: str
    split: Split | None
    raw_label: str
    votes: tuple[int, ...] | None = None
    identity: str | None = None
    valence: float | None = None
    arousal: float | None = None
    box: tuple[int, int, int, int] | None = None
    landmarks: tuple[float, ...] | None = None
    subgroups: tuple[tuple[str, str], ...] = ()
    match_rule: str = ""
    problem: str = ""
    ambiguous: bool = False
