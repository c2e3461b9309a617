"""Mapping of raw labels to expressions."""

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
"""Reason of an image whose label is ignored."""

NO_LABEL = "no_label"
"""Reason of an image that has no label."""

_LISTED_MAX = 5


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Maps raw labels, in any case, to expressions.

    Labels that are not in it are parsed by `synonyms.parse_expression_name`.

    Attributes:
        expressions: expression by label in lower case; None for labels that are ignored.
        reasons: raw labels that stand for a reason why there is no expression, such as "tie".
    """

    expressions: Mapping[str, Expression | None]
    reasons: Mapping[str, str]

    def is_known(self, raw: str) -> bool:
        """Whether a raw label maps to an expression or a reason."""
        return not raw or raw in self.reasons or self._key(raw) in self.expressions or bool(parse_expression_name(raw))

    def expression(self, raw: str) -> Expression | None:
        """Map a raw label to its expression, or None.

        Raises:
            DatasetError: the label is unknown.
        """
        if not raw or raw in self.reasons:
            return None
        if (key := self._key(raw)) in self.expressions:
            return self.expressions[key]
        if (expression := parse_expression_name(raw)) is not None:
            return expression
        raise DatasetError(format_unknown_labels([raw]))

    def _key(self, raw: str) -> str:
        """Return the label in lower case; an unknown number without leading zeros."""
        lower = raw.lower()
        return lower if lower in self.expressions else parse_code(raw) or lower

    def unlabeled_reason(self, raw: str) -> str:
        """Return why an image with this label has no expression; "" if it has one."""
        if not raw:
            return NO_LABEL
        return self.reasons.get(raw) or ("" if self.expression(raw) else IGNORED_LABEL)


def format_unknown_labels(raw: Sequence[str]) -> str:
    """Format the error for unknown labels, with remedies."""
    first = raw[0]
    subject = (
        f"The label {first!r} is" if len(raw) == 1 else f"The labels {', '.join(map(repr, raw[:_LISTED_MAX]))} are"
    )
    more = f" ({len(raw):,} in all)" if len(raw) > _LISTED_MAX else ""
    remedy = f"Map it (--map {first}=fear), ignore its images (--map {first}=-), or add it to a manifest."
    names = "|".join(numbering.name for numbering in matching_numberings(raw))
    numbers = f" If these are the numbers of a known dataset, name it: --numbering {names}." if names else ""
    return f"{subject} no known expression{more}. {remedy}{numbers}"


def build_label_map(
    manifest: Manifest, codes: Mapping[str, Expression | None], unlabeled: Mapping[str, str]
) -> LabelMap:
    """Build the label map: a manifest's labels override the layout's codes, which override the synonyms.

    Args:
        codes: label codes of the layout (`Reader.codes`).
        unlabeled: raw labels that are reasons, not expressions (`Reader.unlabeled`).
    """
    own = {name.lower(): expression for name, expression in manifest.labels.items()}
    reasons = {**{str(reason): str(reason) for reason in Unlabeled}, **unlabeled}
    return LabelMap(
        {**SYNONYMS, **codes, **own}, {raw: reason for raw, reason in reasons.items() if raw.lower() not in own}
    )


def parse_assignments(pairs: Iterable[str]) -> dict[str, Expression | None]:
    """Parse `RAW=EXPRESSION` pairs; `RAW=-` ignores a label.

    Raises:
        DatasetError: a pair has no equals sign.
        InputError: the expression is unknown.
    """
    labels: dict[str, Expression | None] = {}
    for pair in pairs:
        raw, equals, name = pair.rpartition("=")
        if not equals or not raw:
            raise DatasetError(f"--map {pair!r} is not RAW=EXPRESSION, such as --map joy=happiness or --map other=-.")
        labels[raw] = None if name.strip() == "-" else Expression.parse(name)
    return labels
