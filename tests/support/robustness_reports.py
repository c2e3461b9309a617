"""Build robustness reports without running a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fer_core.corruptions.corruption import CORRUPTIONS, SEVERITIES
from fer_core.evaluation.robustness_report import CorruptionCurve, RobustnessReport, RobustnessScores, SeverityResult

CLEAN_F1 = 0.7


def scores(macro_f1: float, half_width: float = 0.04) -> RobustnessScores:
    """Build scores around a macro-F1, with intervals of `half_width` on each side."""
    metrics = {"macro_f1": macro_f1, "balanced_accuracy": macro_f1 * 0.9, "accuracy": min(1.0, macro_f1 * 1.2)}
    bounds = {name: (max(0.0, value - half_width), min(1.0, value + half_width)) for name, value in metrics.items()}
    return RobustnessScores(**metrics, ece=0.02, intervals=bounds)


def make_report(by_corruption: Mapping[str, Sequence[float]] | None = None, **more: Any) -> RobustnessReport:
    """Build a report with these macro-F1 by corruption and severity; all other corruptions have no effect."""
    curves = []
    for name, corruption in CORRUPTIONS.items():
        shares = (by_corruption or {}).get(name, [CLEAN_F1] * SEVERITIES)
        severities = tuple(
            SeverityResult(
                parameter=corruption.parameters[index], description=corruption.describe(index + 1), scores=scores(share)
            )
            for index, share in enumerate(shares)
        )
        curves.append(
            CorruptionCurve(
                name=name, title=corruption.title, parameter_range=corruption.describe_range(), severities=severities
            )
        )
    header = {"model": "tiny", "dataset": "ferplus", "split": "test", "protocol": "majority", "point": "accurate"}
    return RobustnessReport(
        **{**header, "n": 3191, "seed": 0, "clean": scores(CLEAN_F1), "corruptions": tuple(curves), **more}
    )
