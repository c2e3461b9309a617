"""A model card's words on how far the model's confidence can be believed, and when it says that it is unsure."""

from __future__ import annotations

from typing import Any

from fer_core.bundles.reports import SplitReports
from fer_core.calibration import Calibration
from fer_core.markdown import percent, table
from fer_core.metrics import CALIBRATION_BINS

PICTURE = "calibration.svg"

_CALIBRATION = (
    "How sure the model is, against how often it is right. The calibration error is given before and after its answers "
    "were scaled by a temperature, which was fitted on {images}."
)
_OTHER_IMAGES, _THESE_IMAGES = "other images than these", "these images, so that the error after it flatters a little"
_CERTAINTY = (
    "A face whose best probability is below the limit is shown as uncertain. On the images that the temperature "
    "was fitted on, the limit is where answers begin to be right at least 60 % of the time."
)


def calibration_lines(judged: SplitReports, calibration: Calibration) -> list[str]:
    """The calibration error before and after the temperature, the curve's picture, and its bins as tables."""
    lines = [_CALIBRATION.format(images=_OTHER_IMAGES if judged.split == "test" else _THESE_IMAGES), ""]
    rows = [
        [
            each["point"],
            f"{calibration.points[each['point']].temperature:.3f}",
            f"{each['ece_unscaled']:.3f}" if "ece_unscaled" in each else "–",
            f"{each['ece']:.3f}",
        ]
        for each in judged.main
    ]
    lines += table(["point", "temperature", "error before", "error after"], rows)
    drawn = [each for each in judged.main if "calibration_curve" in each]
    if not drawn:
        return lines
    lines += [f"![Confidence against accuracy, at each operating point]({PICTURE})", ""]
    heads = ["confidence"]
    for each in drawn:
        heads += [f"{each['point']}: images", "mean confidence", "right"]
    return lines + table(heads, [_bin_row(place, drawn) for place in range(CALIBRATION_BINS)])


def certainty_lines(judged: SplitReports) -> list[str]:
    """What the limit of certainty is at each point, and what it parts; empty where the report does not say."""
    known = [each for each in judged.main if "selective_accuracy" in each]
    if not known:
        return []
    lines = [_CERTAINTY, ""]
    heads = ["point", "limit", "faces below it", "right below it", "right above it"]
    return lines + table(heads, [_certainty_row(each) for each in known])


def _certainty_row(report: dict[str, Any]) -> list[str]:
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
