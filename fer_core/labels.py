"""The expressions and label sets. Class indices exist only beside torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from fer_core.errors import InputError


class Expression(StrEnum):
    """The eight expressions, in AffectNet's order (its integer codes 0 to 7)."""

    NEUTRAL = "neutral"
    HAPPINESS = "happiness"
    SADNESS = "sadness"
    SURPRISE = "surprise"
    FEAR = "fear"
    DISGUST = "disgust"
    ANGER = "anger"
    CONTEMPT = "contempt"

    @classmethod
    def parse(cls, name: str) -> Expression:
        """Parse an expression's name.

        Raises:
            InputError: no expression has that name.
        """
        try:
            return cls(name.strip().lower())
        except ValueError:
            known = ", ".join(cls)
            raise InputError(f"{name!r} is not an expression. Choose one of: {known}.") from None


@dataclass(frozen=True, slots=True)
class LabelSet:
    """A named set of expressions, in the order of a model's outputs."""

    name: str
    expressions: tuple[Expression, ...]

    def __len__(self) -> int:
        return len(self.expressions)

    def __iter__(self) -> Iterator[Expression]:
        return iter(self.expressions)

    def index(self, expression: Expression) -> int:
        """The index of a model's output for `expression`."""
        return self.expressions.index(expression)


def _label_set(name: str, expressions: Iterable[Expression]) -> LabelSet:
    return LabelSet(name, tuple(expressions))


_E = Expression

LABEL_SETS: dict[str, LabelSet] = {
    labels.name: labels
    for labels in (
        _label_set("eight", _E),
        _label_set("seven", (e for e in _E if e is not _E.CONTEMPT)),
        _label_set("four", (_E.NEUTRAL, _E.HAPPINESS, _E.SADNESS, _E.SURPRISE)),
        _label_set("three", (_E.HAPPINESS, _E.SADNESS, _E.ANGER)),
    )
}


def label_set(name: str) -> LabelSet:
    """Get a label set by name.

    Raises:
        InputError: there is no such set.
    """
    try:
        return LABEL_SETS[name]
    except KeyError:
        known = ", ".join(LABEL_SETS)
        raise InputError(f"There is no label set {name!r}. Choose one of: {known}.") from None
