"""Reliability diagram as SVG, in the reader's light or dark color scheme."""

from __future__ import annotations

from collections.abc import Sequence

from fer_core.evaluation.calibration_metrics import CalibrationBin, bin_images_min, nonempty_bins
from fer_core.evaluation.report_schema import CalibrationCurve, StoredReport

_PLOT_PX = 260
_GAP_PX = 60
_LEFT_PX, _TOP_PX = 52, 50
_BARS_PX = 44
_BOTTOM_PX = 40
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)

_STYLE = """
.page{fill:#fff}.text{fill:#10161e;font:13px system-ui,sans-serif}.small{font-size:11px;fill:#55606e}
.title{font-weight:600}.grid{stroke:#e3e7ed}.ideal{stroke:#6b7785;stroke-dasharray:5 4;fill:none}
.curve{stroke:#4453c4;stroke-width:2;fill:none}.range{stroke:#4453c4;stroke-width:1.5;opacity:.55}
.dot,.bar{fill:#4453c4}.bar{opacity:.45}
@media (prefers-color-scheme:dark){.page{fill:#11161c}.text{fill:#e3e8ee}.small{fill:#a3aebb}.grid{stroke:#2a333e}
.ideal{stroke:#a3aebb}.curve,.range{stroke:#8e9bff}.dot,.bar{fill:#8e9bff}}
"""


def calibration_svg(reports: Sequence[StoredReport]) -> str:
    """Draw a panel for each report: accuracy over mean confidence with 95 % intervals, and below the faces per bin.

    Args:
        reports: with `calibration_curve`; at least one.
    """
    width = _LEFT_PX + len(reports) * _PLOT_PX + (len(reports) - 1) * _GAP_PX + 20
    height = _TOP_PX + _PLOT_PX + 24 + _BARS_PX + _BOTTOM_PX
    panels = [_panel(each, _LEFT_PX + index * (_PLOT_PX + _GAP_PX)) for index, each in enumerate(reports)]
    summary = "; ".join(f"{each.point} point, calibration error {each.ece:.3f}" for each in reports)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Accuracy against confidence: {summary}"><style>{_STYLE}</style>'
        f'<rect class="page" width="{width}" height="{height}" rx="6"/>{"".join(panels)}</svg>\n'
    )


def _panel(report: StoredReport, left: int) -> str:
    assert report.calibration_curve is not None
    bottom, right = _TOP_PX + _PLOT_PX, left + _PLOT_PX

    def across(share: float) -> float:
        return round(left + share * _PLOT_PX, 1)

    def down(share: float) -> float:
        return round(bottom - share * _PLOT_PX, 1)

    parts = [_text(left, _TOP_PX - 26, f"{report.point.capitalize()} point", "text title")]
    parts.append(_text(left, _TOP_PX - 10, f"accuracy (ECE {report.ece:.3f})", "text small"))
    for tick in _TICKS:
        parts.append(f'<path class="grid" d="M{left} {down(tick)}H{right}M{across(tick)} {_TOP_PX}V{bottom}"/>')
        parts.append(_text(left - 6, down(tick) + 4, f"{tick:.0%}", "text small", "end"))
        parts.append(_text(across(tick), bottom + 16, f"{tick:.0%}", "text small", "middle"))
    parts.append(f'<path class="ideal" d="M{left} {bottom}L{right} {_TOP_PX}"/>')
    bins = _plotted_bins(report.calibration_curve)
    line = "L".join(f"{across(each.confidence)} {down(each.accuracy)}" for each in bins)
    parts.append(f'<path class="curve" d="M{line}"/>' if bins else "")
    for each in bins:
        x, (low, high) = across(each.confidence), each.interval
        parts.append(f'<path class="range" d="M{x} {down(low)}V{down(high)}"/>')
        parts.append(f'<circle class="dot" cx="{x}" cy="{down(each.accuracy)}" r="3.5"/>')
    return "".join([*parts, _bars(report.calibration_curve.n, left, bottom + 24)])


def _bars(counts: Sequence[int], left: int, top: int) -> str:
    """Draw a histogram of the faces per bin."""
    most, step, foot = max(1, *counts), _PLOT_PX / len(counts), top + _BARS_PX
    heights = [round(_BARS_PX * n / most, 1) for n in counts]
    bars = [
        f'<rect class="bar" x="{left + index * step + 1:.1f}" y="{foot - height:.1f}" width="{step - 2:.1f}" '
        f'height="{height}"/>'
        for index, height in enumerate(heights)
        if height
    ]
    caption = _text(left, foot + 18, f"confidence (bars: {sum(counts):,} faces)", "text small")
    return "".join([*bars, caption])


def _plotted_bins(curve: CalibrationCurve) -> list[CalibrationBin]:
    return [each for each in nonempty_bins(curve) if each.n >= bin_images_min(max(curve.n))]


def _text(x: float, y: float, text: str, classes: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{classes}" text-anchor="{anchor}">{text}</text>'
