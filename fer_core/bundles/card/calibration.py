"""The model card's sections on calibration and abstention."""

from __future__ import annotations

from fer_core.bundles.reports import SplitReports
from fer_core.calibration import Calibration
from fer_core.evaluation.report_schema import StoredReport
from fer_core.markdown import format_percent, table
from fer_core.metrics import CALIBRATION_BINS

DIAGRAM_FILE = "calibration.svg"

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
    """Format the calibration error before and after temperature scaling, and the reliability diagram with its bins."""
    lines = [_CALIBRATION.format(images=_OTHER_IMAGES if split_reports.split == "test" else _THESE_IMAGES), ""]
    rows = [
        [
            each.point,
            f"{calibration.points[each.point].temperature:.3f}",
            "–" if each.ece_unscaled is None else f"{each.ece_unscaled:.3f}",
            f"{each.ece:.3f}",
        ]
        for each in split_reports.headline_by_point
    ]
    lines += table(["point", "temperature", "ECE before", "ECE after"], rows)
    reports = [each for each in split_reports.headline_by_point if each.calibration_curve]
    if not reports:
        return lines
    lines += [f"![Confidence against accuracy, at each operating point]({DIAGRAM_FILE})", ""]
    heads = ["confidence"]
    for each in reports:
        heads += [f"{each.point}: images", "mean confidence", "accuracy"]
    return lines + table(heads, [_bin_row(number, reports) for number in range(CALIBRATION_BINS)])


def abstention_lines(split_reports: SplitReports) -> list[str]:
    """Format the confidence thresholds with the accuracy on both sides; empty if the report has none."""
    rows = [
        [
            each.point,
            format_percent(each.selective_accuracy.confidence_threshold),
            f"{format_percent(each.selective_accuracy.share_below_01)} ({each.selective_accuracy.below.n:,})",
            format_percent(each.selective_accuracy.below.accuracy),
            format_percent(each.selective_accuracy.above.accuracy),
        ]
        for each in split_reports.headline_by_point
        if each.selective_accuracy
    ]
    heads = ["point", "threshold", "faces below", "accuracy below", "accuracy above"]
    return [_ABSTENTION, "", *table(heads, rows)] if rows else []


def _bin_row(number: int, reports: list[StoredReport]) -> list[str]:
    row = [f"{100 * number / CALIBRATION_BINS:.0f} to {100 * (number + 1) / CALIBRATION_BINS:.0f} %"]
    for curve in (each.calibration_curve for each in reports):
        if curve:
            row += [
                f"{curve.n[number]:,}",
                format_percent(curve.confidence[number]),
                format_percent(curve.accuracy[number]),
            ]
    return row
