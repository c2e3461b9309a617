"""The class that a model finds least often, which accuracy hides if the class is rare."""

from __future__ import annotations

from dataclasses import dataclass

from fer_core.evaluation.report_schema import StoredReport
from fer_core.intervals import Interval
from fer_core.labels import Expression
from fer_core.metrics import RANKED_IMAGES_MIN


@dataclass(frozen=True, slots=True)
class WeakestClass:
    """The class of lowest recall: `found` of its `support` images are predicted as labeled."""

    label: Expression
    recall: float
    recall_interval: Interval
    found: int
    support: int


def find_weakest_class(report: StoredReport) -> WeakestClass | None:
    """Find the class of lowest recall among those with at least `RANKED_IMAGES_MIN` images; None without any."""
    known = [label for label in report.labels if report.per_class[label].support >= RANKED_IMAGES_MIN]
    if not known:
        return None
    label = min(known, key=lambda each: report.per_class[each].recall)
    scores, row = report.per_class[label], report.labels.index(label)
    low, high = scores.recall_interval
    return WeakestClass(label, scores.recall, (low, high), report.confusion[row][row], scores.support)
