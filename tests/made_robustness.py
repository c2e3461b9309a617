"""A robustness report that no model was run for: quick, and with whatever figures a test needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fer_core.data.disturb import DISTURBANCES, LEVELS
from fer_core.inference.robustness_report import Course, Level, RobustnessReport, Standing

UNDISTURBED = 0.7


def standing(macro_f1: float, half_width: float = 0.04) -> Standing:
    """Accuracy is a little higher, balanced accuracy a little lower; the intervals are as wide on each side."""
    figures = {"macro_f1": macro_f1, "balanced_accuracy": macro_f1 * 0.9, "accuracy": min(1.0, macro_f1 * 1.2)}
    bounds = {name: (max(0.0, value - half_width), min(1.0, value + half_width)) for name, value in figures.items()}
    return Standing(**figures, ece=0.02, intervals=bounds)


def made_report(scores: Mapping[str, Sequence[float]] | None = None, **more: Any) -> RobustnessReport:
    """A report in which the disturbances of `scores` have these macro-F1 by level, all others the undisturbed one."""
    courses = []
    for name, each in DISTURBANCES.items():
        shares = (scores or {}).get(name, [UNDISTURBED] * LEVELS)
        levels = tuple(
            Level(strength=each.strengths[place], meaning=each.in_words(place + 1), standing=standing(share))
            for place, share in enumerate(shares)
        )
        courses.append(Course(name=name, title=each.title, strengths=each.range_in_words(), levels=levels))
    said = {"model": "tiny", "dataset": "ferplus", "part": "test", "protocol": "majority", "point": "accurate"}
    return RobustnessReport(
        **{**said, "n": 3191, "seed": 0, "undisturbed": standing(UNDISTURBED), "disturbances": tuple(courses), **more}
    )
