"""A robustness report that no model was run for: quick, and with whatever figures a test needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fer_core.corruptions.corruption import CORRUPTIONS, SEVERITIES
from fer_core.evaluation.robustness_report import CorruptionCurve, RobustnessReport, Scores, SeverityResult

UNDISTURBED = 0.7


def scores(macro_f1: float, half_width: float = 0.04) -> Scores:
    """Accuracy is a little higher, balanced accuracy a little lower; the intervals are as wide on each side."""
    metrics = {"macro_f1": macro_f1, "balanced_accuracy": macro_f1 * 0.9, "accuracy": min(1.0, macro_f1 * 1.2)}
    bounds = {name: (max(0.0, value - half_width), min(1.0, value + half_width)) for name, value in metrics.items()}
    return Scores(**metrics, ece=0.02, intervals=bounds)


def made_report(by_corruption: Mapping[str, Sequence[float]] | None = None, **more: Any) -> RobustnessReport:
    """A report with these macro-F1 by corruption and severity; all other corruptions cost nothing."""
    courses = []
    for name, each in CORRUPTIONS.items():
        shares = (by_corruption or {}).get(name, [UNDISTURBED] * SEVERITIES)
        severities = tuple(
            SeverityResult(parameter=each.parameters[place], description=each.in_words(place + 1), scores=scores(share))
            for place, share in enumerate(shares)
        )
        courses.append(
            CorruptionCurve(name=name, title=each.title, parameter_range=each.range_in_words(), severities=severities)
        )
    said = {"model": "tiny", "dataset": "ferplus", "split": "test", "protocol": "majority", "point": "accurate"}
    return RobustnessReport(
        **{**said, "n": 3191, "seed": 0, "clean": scores(UNDISTURBED), "corruptions": tuple(courses), **more}
    )
