"""Records: what a reader knows of an image without opening it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from fer_core.errors import InputError


class Split(StrEnum):
    """The splits of a dataset."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"

    @classmethod
    def parse(cls, name: str) -> Split:
        """Parse a split's name; synonyms such as "val" and "validation" are accepted.

        Raises:
            InputError: it is not a split.
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
"""Names of splits in folders and columns, in lower case."""

SPLIT_TITLES: dict[str, str] = {Split.TEST: "test", Split.VALID: "validation", Split.TRAIN: "training"}
"""In order of display: "the validation split", "validation images"."""

_WORD = re.compile(r"[^\W\d_]+")
_FILLER_WORDS = frozenset(
    [
        *("set", "data", "dataset", "images", "image", "img", "faces", "face", "split", "part", "labels", "label"),
        *("list", "annotations", "folder", "cropped", "aligned"),
        *("fer", "ferplus", "rafdb", "raf", "affectnet", "expw", "ck"),
    ]
)
"""Words beside a split's name that do not change its meaning."""


def match_split_name(text: str) -> Split | None:
    """Return the split that a name such as `train`, `Test Images` or `fer2013_val` means; else None."""
    lower = text.strip().lower()
    if lower in SPLIT_NAMES:
        return SPLIT_NAMES[lower]
    words = _WORD.findall(lower.replace("_", " "))
    named = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
    rest = [word for word in words if word not in SPLIT_NAMES and word not in _FILLER_WORDS]
    return named.pop() if len(named) == 1 and not rest else None


MISSING_AFFECT = -2.0
"""AffectNet's value of a missing valence or arousal."""


@dataclass(frozen=True, slots=True)
class Record:
    """One image of a source, or one face of an image.

    Attributes:
        path: the file's name in the source.
        split: the published split, if any.
        raw_label: the source's label, before it is mapped to an expression; "" if there is none.
        votes: ten counts in the order of `votes.VOTE_COLUMNS`.
        identity: the person, if known.
        valence, arousal: -1..1 (Russell's circumplex), if known.
        box: the face in pixels: left, top, right, bottom, half-open; None for the whole image.
        landmarks: x0, y0, x1, y1, … in pixels of the whole image.
        subgroups: names and values of other attributes, such as ("gender", "F").
        match_rule: the `file_matcher.MatchRule` by which the file was found; "" if the names are equal.
        problem: why there is no image to open; "" if there is one.
        ambiguous: whether several files match the name.
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
