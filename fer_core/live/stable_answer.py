"""The answer that is shown of one face: it changes only when another has clearly led for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fer_core.inference.abstention import AbstainReason, abstain_reasons
from fer_core.inference.face_quality import FaceQuality
from fer_core.labels import Expression

LEAD_01 = 0.1
"""By so much another expression must be ahead of the one that is shown."""

HOLD_S = 0.25
"""For so long others must be ahead, or a doubt must last or be over, before what is shown changes."""


class Answer(NamedTuple):
    """What is shown of a face: an expression, or why there is none.

    Attributes:
        label: the expression; with a reason, the most likely one.
        reasons: why the model abstains, the most important first; none if it does not.
    """

    label: Expression
    reasons: tuple[AbstainReason, ...] = ()

    def is_like(self, other: Answer) -> bool:
        """Whether both look the same: of two doubts the expression doesn't count."""
        if self.reasons or other.reasons:
            return self.reasons[:1] == other.reasons[:1]
        return self.label is other.label


@dataclass(slots=True)
class StableAnswer:
    """Decides which answer is shown.

    Attributes:
        shown: None before the first update.
        contested_since_s: since when another answer is ahead; None if none is.
    """

    lead_01: float = LEAD_01
    hold_s: float = HOLD_S
    shown: Answer | None = None
    contested_since_s: float | None = None

    def update(
        self, probabilities: Mapping[Expression, float], quality: FaceQuality, confidence_threshold: float, at_s: float
    ) -> Answer:
        """Take a face's newest probabilities, already smoothed, and return the answer to show.

        Args:
            confidence_threshold: the model's at the operating point.
            at_s: time of the frame, not before the previous one.
        """
        leading = self._leading(probabilities)
        newest = Answer(leading, abstain_reasons(quality, probabilities, confidence_threshold))
        if self.shown is None or self.shown.label not in probabilities or newest.is_like(self.shown):
            self.shown, self.contested_since_s = newest, None
        elif self.contested_since_s is None:
            self.contested_since_s = at_s
        if self.contested_since_s is not None and at_s - self.contested_since_s >= self.hold_s:
            self.shown, self.contested_since_s = newest, None
        return self.shown

    def _leading(self, probabilities: Mapping[Expression, float]) -> Expression:
        """The most likely expression; the one that is shown stays until another is ahead by the lead."""
        best = max(probabilities, key=lambda label: probabilities[label])
        if self.shown is None or self.shown.label not in probabilities:
            return best
        return best if probabilities[best] - probabilities[self.shown.label] > self.lead_01 else self.shown.label
