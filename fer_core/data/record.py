"""What a reader says of one image, before the image is opened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fer_core.errors import InputError
from fer_core.labels import Expression


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
    **dict.fromkeys(("valid", "val", "validation", "dev", "fer2013valid", "val_set"), Split.VALID),
    **dict.fromkeys(("test", "testing", "fer2013test"), Split.TEST),
}
"""Folder and column names that mean a split, in lower case."""


@dataclass(frozen=True, slots=True)
class Record:
    """One image of a source.

    `unlabelled` says why there is no label, "" where there is one. `votes` has ten columns in the order of
    `votes.VOTE_COLUMNS`. `identity` is the person (or drawn identity), where known.
    """

    path: str
    split: Split | None
    label: Expression | None
    unlabelled: str = ""
    votes: tuple[int, ...] | None = None
    identity: str | None = None
