"""Numberings of the expressions; datasets differ, so the user must choose one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fer_core.errors import DatasetError
from fer_core.labels import Expression


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


def _numbering(name: str, title: str, expressions: str, first: int = 0) -> Numbering:
    return Numbering(name, title, {str(code): Expression(word) for code, word in enumerate(expressions.split(), first)})


_IN_ORDER = (
    _numbering("fer2013", "FER2013, ExpW", "anger disgust fear happiness sadness surprise neutral contempt"),
    _numbering("affectnet", "AffectNet", " ".join(Expression)),
    _numbering("rafdb", "RAF-DB", "surprise fear disgust happiness sadness anger neutral", first=1),
    _numbering("ferplus", "FER+", "neutral happiness surprise sadness anger disgust fear contempt"),
    _numbering("ckplus", "CK+", "neutral anger contempt disgust fear happiness sadness surprise"),
    _numbering(
        "alphabetical-7", "seven classes in alphabetical order", "anger disgust fear happiness neutral sadness surprise"
    ),
    _numbering(
        "alphabetical-8",
        "eight classes in alphabetical order",
        "anger contempt disgust fear happiness neutral sadness surprise",
    ),
)
NUMBERINGS: dict[str, Numbering] = {numbering.name: numbering for numbering in _IN_ORDER}


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
