"""The model card's sections on calibration and abstention."""

from __future__ import annotations

from typing import Any

from fer_core.bundles.reports import SplitReports
from fer_core.calibration import Calibration
from fer_core.markdown import percent, table
from fer_core.metrics import CALIBRATION_BINS

PICTURE = "calibration.svg"

_CALIBRATION = (
    "Confidence against accuracy. The expected calibration error (ECE) is given before and after temperature scaling. "
    "The temperature was fitted on {images}."
)
_OTHER_IMAGES, _THESE_IMAGES = "other images", "these images, so the error after scaling is slightly optimistic"
_ABSTENTION = (
    "A face whose highest probability is below the confidence threshold is shown as uncertain. The threshold is where "
    "predictions begin to be right at least 60 % of the time, on the images that the temperature was fitted on."
)


def calibration_lines(split_reports: SplitReports, calibration: Calibration) -> list[str]:
    """The calibration error before and after temperature scaling, the reliability diagram, and its bins as a table."""
    lines = [_CALIBRATION.format(images=_OTHER_IMAGES if split_reports.split == "test" else _THESE_IMAGES), ""]
    rows = [
        [
            each["point"],
            f"{calibration.points[each['point']].temperature:.3f}",
            f"{each['ece_unscaled']:.3f}" if "ece_unscaled" in each else "–",
            f"{each['ece']:.3f}",
        ]
        for each in split_reports.main
    ]
    lines += table(["point", "temperature", "ECE before", "ECE after"], rows)
    drawn = [each for each in split_reports.main if "calibration_curve" in each]
    if not drawn:
        return lines
    lines += [f"![Confidence against accuracy, at each operating point]({PICTURE})", ""]
    heads = ["confidence"]
    for each in drawn:
        heads += [f"{each['point']}: images", "mean confidence", "accuracy"]
    return lines + table(heads, [_bin_row(place, drawn) for place in range(CALIBRATION_BINS)])


def abstention_lines(split_reports: SplitReports) -> list[str]:
    """The confidence threshold of each point and the accuracy on both sides; empty where the report has none."""
    known = [each for each in split_reports.main if "selective_accuracy" in each]
    if not known:
        return []
    lines = [_ABSTENTION, ""]
    heads = ["point", "threshold", "faces below", "accuracy below", "accuracy above"]
    return lines + table(heads, [_abstention_row(each) for each in known])


def _abstention_row(report: dict[str, Any]) -> list[str]:
    found = report["selective_accuracy"]
    below, above = found["below"], found["above"]
    share = below["n"] / (below["n"] + above["n"])
    said = f"{percent(share)} ({below['n']:,})"
    return [
        report["point"],
        percent(found["confidence_threshold"]),
        said,
        percent(below["accuracy"]),
        percent(above["accuracy"]),
    ]


def _bin_row(place: int, reports: list[dict[str, Any]]) -> list[str]:
    row = [f"{100 * place / CALIBRATION_BINS:.0f} to {100 * (place + 1) / CALIBRATION_BINS:.0f} %"]
    for each in reports:
        curve = each["calibration_curve"]
        row += [f"{curve['n'][place]:,}", percent(curve["confidence"][place]), percent(curve["accuracy"][place])]
    return row
