"""The numbers that datasets write for expressions: the same number means another expression in each of them.

A number is never guessed: a person says which of these is meant, or maps every number by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fer_core.errors import DatasetError
from fer_core.labels import Expression

_E = Expression


@dataclass(frozen=True, slots=True)
class Numbering:
    """One way to number expressions.

    Attributes:
        name: for the command line.
        title: who numbers so.
        codes: each number, in writing, with its expression.
    """

    name: str
    title: str
    codes: Mapping[str, Expression]


def _numbering(name: str, title: str, expressions: Iterable[Expression], first: int = 0) -> Numbering:
    return Numbering(name, title, {str(code): expression for code, expression in enumerate(expressions, first)})


NUMBERINGS: dict[str, Numbering] = {
    each.name: each
    for each in (
        _numbering(
            "fer2013",
            "FER2013, ExpW",
            (_E.ANGER, _E.DISGUST, _E.FEAR, _E.HAPPINESS, _E.SADNESS, _E.SURPRISE, _E.NEUTRAL, _E.CONTEMPT),
        ),
        _numbering("affectnet", "AffectNet", _E),
        _numbering(
            "rafdb",
            "RAF-DB",
            (_E.SURPRISE, _E.FEAR, _E.DISGUST, _E.HAPPINESS, _E.SADNESS, _E.ANGER, _E.NEUTRAL),
            first=1,
        ),
        _numbering(
            "ferplus",
            "FER+",
            (_E.NEUTRAL, _E.HAPPINESS, _E.SURPRISE, _E.SADNESS, _E.ANGER, _E.DISGUST, _E.FEAR, _E.CONTEMPT),
        ),
        _numbering(
            "ckplus",
            "CK+",
            (_E.NEUTRAL, _E.ANGER, _E.CONTEMPT, _E.DISGUST, _E.FEAR, _E.HAPPINESS, _E.SADNESS, _E.SURPRISE),
        ),
        _numbering(
            "alphabetical-7",
            "seven class names in the order of the alphabet",
            (_E.ANGER, _E.DISGUST, _E.FEAR, _E.HAPPINESS, _E.NEUTRAL, _E.SADNESS, _E.SURPRISE),
        ),
        _numbering(
            "alphabetical-8",
            "eight class names in the order of the alphabet",
            (_E.ANGER, _E.CONTEMPT, _E.DISGUST, _E.FEAR, _E.HAPPINESS, _E.NEUTRAL, _E.SADNESS, _E.SURPRISE),
        ),
    )
}


def get_numbering(name: str) -> Numbering:
    """The numbering of that name.

    Raises:
        DatasetError: there is none; the message lists them.
    """
    try:
        return NUMBERINGS[name]
    except KeyError:
        known = "; ".join(f"{each.name}: {format_numbering(each)}" for each in NUMBERINGS.values())
        raise DatasetError(f"There is no numbering {name!r}. Choose one of: {known}.") from None


def parse_code(raw: str) -> str:
    """The number that a raw label is, without leading zeros or ".0"; "" where it is none."""
    text = raw.strip().removesuffix(".0")
    return str(int(text)) if text.isdecimal() and text.isascii() else ""


def matching_numberings(raw_labels: Iterable[str]) -> list[Numbering]:
    """The numberings that know every number among raw labels; none where no label is a number."""
    codes = {code for code in map(parse_code, raw_labels) if code}
    return [each for each in NUMBERINGS.values() if codes and codes <= set(each.codes)]


def apply_numbering(numbering: Numbering, raw_labels: Iterable[str]) -> dict[str, Expression]:
    """What the raw labels that are numbers become."""
    return {raw: numbering.codes[parse_code(raw)] for raw in raw_labels if parse_code(raw) in numbering.codes}


def format_numbering(numbering: Numbering) -> str:
    """The numbering as a line, such as "0 neutral, 1 happiness"."""
    return ", ".join(f"{code} {expression}" for code, expression in numbering.codes.items())
