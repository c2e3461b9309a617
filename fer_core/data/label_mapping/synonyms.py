"""Synonyms of the expressions, alone or beside filler words ("SAD faces")."""

from __future__ import annotations

import re

from fer_core.labels import Expression

_E = Expression

SYNONYMS: dict[str, Expression] = {
    **{str(expression): expression for expression in Expression},
    **dict.fromkeys(("neutrality", "normal", "natural", "no emotion"), _E.NEUTRAL),
    **dict.fromkeys(("happy", "joy", "joyful", "happily", "smile", "smiling"), _E.HAPPINESS),
    **dict.fromkeys(("sad", "sorrow"), _E.SADNESS),
    **dict.fromkeys(("surprised", "surprize", "suprise", "suprised", "astonished"), _E.SURPRISE),
    **dict.fromkeys(("fearful", "afraid", "scared"), _E.FEAR),
    **dict.fromkeys(("disgusted",), _E.DISGUST),
    **dict.fromkeys(("angry", "mad"), _E.ANGER),
    **dict.fromkeys(("contemptuous",), _E.CONTEMPT),
}
"""Expression by word, in lower case."""

_FILLER_WORDS = (
    "face faces facial image images img imgs photo photos picture pictures pic pics frame frames person persons people "
    "human expression expressions emotion emotions emo class cls label labels category folder data dataset set sets "
    "sample samples all only the a of cropped crop aligned train training valid validation val test testing"
)
_FILLERS = frozenset(_FILLER_WORDS.split())
"""Words beside an expression's that do not change its meaning, as "not", "very" or "dog" may."""

_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def parse_expression_name(text: str) -> Expression | None:
    """Return the one expression that a label names; None if it names none, several, or has other words.

    Numbers and punctuation are ignored: `0_happy`, `SAD faces`, `neutral_face`, `Anger (angry)`, `HappyFaces`.
    """
    normalized = " ".join(text.lower().replace("_", " ").split())
    if normalized in SYNONYMS:
        return SYNONYMS[normalized]
    words = [word.lower() for word in _WORD.findall(_CAMEL.sub(" ", text))]
    named = {SYNONYMS[word] for word in words if word in SYNONYMS}
    rest = [word for word in words if word not in SYNONYMS and word not in _FILLERS]
    return named.pop() if len(named) == 1 and not rest else None
