"""From a dataset's own label names to expressions: what is proposed, and what is carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fer_core.data.label_mapping.numberings import matching_numberings, parse_code
from fer_core.data.label_mapping.synonyms import SYNONYMS, parse_expression_name
from fer_core.data.manifest import Manifest
from fer_core.data.votes import Unlabeled
from fer_core.errors import DatasetError
from fer_core.labels import Expression

IGNORED_LABEL = "left_out"
"""Why an image has no expression when its label is not wanted."""

NO_LABEL = "no_label"
"""Why an image has no expression when the source gives it no label."""

_SAID_MAX = 5


@dataclass(frozen=True, slots=True)
class LabelMap:
    """What each raw label becomes: an expression, or None to leave its images out. Case does not matter.

    A label that is not in it is understood where its words name one expression (`synonyms.parse_expression_name`).
    """

    expressions: Mapping[str, Expression | None]
    reasons: Mapping[str, str]

    def is_known(self, raw: str) -> bool:
        """Whether it is decided what becomes of a raw label."""
        return not raw or raw in self.reasons or self._key(raw) in self.expressions or bool(parse_expression_name(raw))

    def expression(self, raw: str) -> Expression | None:
        """The expression, or None.

        Raises:
            DatasetError: nothing is known of this label.
        """
        if not raw or raw in self.reasons:
            return None
        if (key := self._key(raw)) in self.expressions:
            return self.expressions[key]
        if (named := parse_expression_name(raw)) is not None:
            return named
        raise DatasetError(format_unknown_labels([raw]))

    def _key(self, raw: str) -> str:
        """The label in small letters; a number as it is usually written, where it is not known as it is."""
        lower = raw.lower()
        return lower if lower in self.expressions else parse_code(raw) or lower

    def reason(self, raw: str) -> str:
        """Why an image with this label has no expression; "" where it has one."""
        if not raw:
            return NO_LABEL
        return self.reasons.get(raw) or ("" if self.expression(raw) else IGNORED_LABEL)


def format_unknown_labels(raw: Sequence[str]) -> str:
    """What to say of labels of which nothing is known, and what to do."""
    one = raw[0]
    said = f"The label {one!r} is" if len(raw) == 1 else f"The labels {', '.join(map(repr, raw[:_SAID_MAX]))} are"
    more = f" ({len(raw):,} in all)" if len(raw) > _SAID_MAX else ""
    ways = f"Map it (--map {one}=fear), leave its images out (--map {one}=-), or write it into a manifest."
    fitting = "|".join(each.name for each in matching_numberings(raw))
    numbers = f" If these are the numbers of a known dataset, say whose: --numbering {fitting}." if fitting else ""
    return f"{said} no known expression{more}. {ways}{numbers}"


def build_label_map(
    manifest: Manifest, codes: Mapping[str, Expression | None], unlabeled: Mapping[str, str]
) -> LabelMap:
    """A manifest's map on top of the layout's codes on top of the words that everybody uses.

    Args:
        manifest: its `labels`.
        codes: those that the layout fixes (`Reader.codes`).
        unlabeled: raw labels that are reasons rather than expressions (`Reader.unlabeled`).
    """
    own = {name.lower(): expression for name, expression in manifest.labels.items()}
    reasons = {**{str(reason): str(reason) for reason in Unlabeled}, **unlabeled}
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
