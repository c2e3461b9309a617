"""The numbers that datasets use for expressions.

The same number means different expressions in different datasets, so that the user must choose a numbering.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fer_core.errors import DatasetError
from fer_core.labels import Expression

_E = Expression


@dataclass(frozen=True, slots=True)
class Numbering:
    """One numbering of the expressions.

    Attributes:
        name: name on the command line.
        title: the datasets that use it.
        codes: expression by number, the latter as text.
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
            "seven classes in alphabetical order",
            (_E.ANGER, _E.DISGUST, _E.FEAR, _E.HAPPINESS, _E.NEUTRAL, _E.SADNESS, _E.SURPRISE),
        ),
        _numbering(
            "alphabetical-8",
            "eight classes in alphabetical order",
            (_E.ANGER, _E.CONTEMPT, _E.DISGUST, _E.FEAR, _E.HAPPINESS, _E.NEUTRAL, _E.SADNESS, _E.SURPRISE),
        ),
    )
}


def get_numbering(name: str) -> Numbering:
    """Return a numbering by name.

    Raises:
        DatasetError: there is none; the message lists them.
    """
    try:
        return NUMBERINGS[name]
    except KeyError:
        known = "; ".join(f"{each.name}: {format_numbering(each)}" for each in NUMBERINGS.values())
        raise DatasetError(f"There is no numbering {name!r}. Choose one of: {known}.") from None


def parse_code(raw: str) -> str:
    """Parse a raw label as a number without leading zeros or ".0"; "" if it is not a number."""
    text = raw.strip().removesuffix(".0")
    return str(int(text)) if text.isdecimal() and text.isascii() else ""


def matching_numberings(raw_labels: Iterable[str]) -> list[Numbering]:
    """List the numberings that have every number among the raw labels; none if no label is a number."""
    codes = {code for code in map(parse_code, raw_labels) if code}
    return [each for each in NUMBERINGS.values() if codes and codes <= set(each.codes)]


def apply_numbering(numbering: Numbering, raw_labels: Iterable[str]) -> dict[str, Expression]:
    """Map the raw labels that are numbers to expressions."""
    return {raw: numbering.codes[parse_code(raw)] for raw in raw_labels if parse_code(raw) in numbering.codes}


def format_numbering(numbering: Numbering) -> str:
    """Format a numbering: "0 neutral, 1 happiness"."""
    return ", ".join(f"{code} {expression}" for code, expression in numbering.codes.items())
