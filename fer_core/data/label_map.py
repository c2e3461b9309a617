"""From a dataset's own label names to expressions: what is proposed, and what is carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fer_core.data.manifest import Manifest
from fer_core.data.votes import Unlabelled
from fer_core.errors import DatasetError
from fer_core.labels import Expression

_E = Expression

SYNONYMS: dict[str, Expression] = {
    **{str(expression): expression for expression in Expression},
    **dict.fromkeys(("neutrality", "normal", "no emotion"), _E.NEUTRAL),
    **dict.fromkeys(("happy", "joy", "happily", "smile"), _E.HAPPINESS),
    **dict.fromkeys(("sad", "sorrow"), _E.SADNESS),
    **dict.fromkeys(("surprised", "surprize", "astonished"), _E.SURPRISE),
    **dict.fromkeys(("fearful", "afraid", "scared"), _E.FEAR),
    **dict.fromkeys(("disgusted",), _E.DISGUST),
    **dict.fromkeys(("angry", "mad"), _E.ANGER),
    **dict.fromkeys(("contemptuous",), _E.CONTEMPT),
}
"""Words that mean an expression wherever they are met, in lower case."""

LEFT_OUT = "left_out"
"""Why an image has no expression when its label is not wanted."""

NO_LABEL = "no_label"
"""Why an image has no expression when the source gives it no label."""


@dataclass(frozen=True, slots=True)
class LabelMap:
    """What each raw label becomes: an expression, or None to leave its images out. Case does not matter."""

    expressions: Mapping[str, Expression | None]
    reasons: Mapping[str, str]

    def knows(self, raw: str) -> bool:
        """Whether it is decided what becomes of a raw label."""
        return not raw or raw.lower() in self.expressions or raw in self.reasons

    def expression(self, raw: str) -> Expression | None:
        """The expression, or None.

        Raises:
            DatasetError: nothing is known of this label.
        """
        if not raw or raw in self.reasons:
            return None
        try:
            return self.expressions[raw.lower()]
        except KeyError:
            raise DatasetError(
                f"The label {raw!r} is no known expression. Map it (--map {raw}=fear), leave its images out "
                f"(--map {raw}=-), or write it into a manifest."
            ) from None

    def reason(self, raw: str) -> str:
        """Why an image with this label has no expression; "" where it has one."""
        if not raw:
            return NO_LABEL
        return self.reasons.get(raw) or ("" if self.expression(raw) else LEFT_OUT)


def label_map(manifest: Manifest, codes: Mapping[str, Expression | None], unlabelled: Mapping[str, str]) -> LabelMap:
    """A manifest's map on top of the layout's codes on top of the words that everybody uses.

    Args:
        manifest: its `labels`.
        codes: those that the layout fixes (`Reader.codes`).
        unlabelled: raw labels that are reasons rather than expressions (`Reader.unlabelled`).
    """
    own = {name.lower(): expression for name, expression in manifest.labels.items()}
    reasons = {**{str(reason): str(reason) for reason in Unlabelled}, **unlabelled}
    return LabelMap({**SYNONYMS, **codes, **own}, {raw: why for raw, why in reasons.items() if raw.lower() not in own})


def parse_assignments(pairs: Iterable[str]) -> dict[str, Expression | None]:
    """A label map from `RAW=EXPRESSION` pairs; `RAW=-` leaves a label out.

    Raises:
        DatasetError: a pair has no equals sign.
        InputError: it names no expression.
    """
    assigned: dict[str, Expression | None] = {}
    for pair in pairs:
        raw, equals, name = pair.rpartition("=")
        if not equals or not raw:
            raise DatasetError(f"--map {pair!r} is not RAW=EXPRESSION, such as --map joy=happiness or --map other=-.")
        assigned[raw] = None if name.strip() == "-" else Expression.parse(name)
    return assigned
