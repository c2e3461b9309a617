"""Plots of the report as SVG, with colors that are readable in print."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from fer_core.intervals import Interval
from fer_core.labels import Expression

COLORS: dict[Expression, str] = {
    Expression.NEUTRAL: "#6b7785",
    Expression.HAPPINESS: "#a08a00",
    Expression.SADNESS: "#0072b2",
    Expression.SURPRISE: "#3a9fd0",
    Expression.FEAR: "#b5568a",
    Expression.DISGUST: "#008a64",
    Expression.ANGER: "#c85000",
    Expression.CONTEMPT: "#b07a00",
}
"""Dark enough for lines on white; the hues are those of the pages."""

ACCENT, SECOND = "#4453c4", "#9a5b13"
_WIDTH, _PLOT, _LEFT, _TOP = 520, 300, 58, 14
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_ROW, _NAMES = 26, 190
_FONT = "font-family=\"system-ui, 'DejaVu Sans', sans-serif\""


class Line(NamedTuple):
    """A line of points 0..1; `dashed` for a reference; `half_widths` draw 95 % intervals."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    color: str
    dashed: bool = False
    intervals: Sequence[Interval] = ()


class Dot(NamedTuple):
    """A row of a dot plot: a value with its interval, and a second value to compare with."""

    name: str
    value: float
    interval: Interval
    text: str
    second: float | None = None


def line_plot(title: str, lines: Sequence[Line], x_title: str, y_title: str) -> str:
    """Draw lines over a square from 0 to 1 with a legend below."""

    def across(value: float) -> float:
        return round(_LEFT + value * (_WIDTH - _LEFT - 16), 1)

    def down(value: float) -> float:
        return round(_TOP + (1 - value) * _PLOT, 1)

    bottom = _TOP + _PLOT
    parts = []
    for tick in _TICKS:
        parts.append(_path(f"M{_LEFT} {down(tick)}H{across(1)}M{across(tick)} {_TOP}V{bottom}", "#e3e7ed"))
        parts.append(_text(_LEFT - 6, down(tick) + 4, f"{tick:.0%}", "end"))
        parts.append(_text(across(tick), bottom + 16, f"{tick:.0%}", "middle"))
    parts.append(_text(across(0.5), bottom + 34, x_title, "middle"))
    parts.append(
        f'<text x="14" y="{down(0.5)}" font-size="12" {_FONT} fill="#10161e" text-anchor="middle" '
        f'transform="rotate(-90 14 {down(0.5)})">{escape(y_title)}</text>'
    )
    for line in lines:
        points = [
            (across(x), down(y)) for x, y in zip(line.x, line.y, strict=True) if np.isfinite(x) and np.isfinite(y)
        ]
        path = "M" + "L".join(f"{x} {y}" for x, y in points)
        parts.append(_path(path, line.color, 1.6, "5 4" if line.dashed else ""))
        for (x, _), (low, high) in zip(points, line.intervals, strict=False):
            parts.append(_path(f"M{x} {down(low)}V{down(high)}", line.color))
    legend = bottom + 52
    for place, line in enumerate(lines):
        x, y = _LEFT + place % 3 * 150, legend + place // 3 * 18
        parts.append(_path(f"M{x} {y - 4}h18", line.color, 2, "5 4" if line.dashed else ""))
        parts.append(_text(x + 24, y, line.name, "start"))
    return _svg(title, _WIDTH, legend + (len(lines) - 1) // 3 * 18 + 10, parts)


def dot_plot(title: str, rows: Sequence[Dot], low: float = 0.0, high: float = 1.0, unit: str = "%") -> str:
    """Draw a row for each value with its interval; a hollow diamond is the second value.

    Args:
        low, high: ends of the axis.
        unit: "%" for shares, "points" for differences of shares.
    """
    width = _WIDTH - _NAMES - 80

    def across(value: float) -> float:
        return round(_NAMES + (min(max(value, low), high) - low) / (high - low) * width, 1)

    bottom = _TOP + len(rows) * _ROW
    parts = []
    for tick in np.linspace(low, high, 5).tolist():
        parts.append(
            _path(f"M{across(tick)} {_TOP}V{bottom}", "#10161e" if abs(tick) < 1e-9 and low < 0 else "#e3e7ed")
        )
        parts.append(_text(across(tick), bottom + 16, f"{tick:.0%}" if unit == "%" else f"{tick * 100:+.0f}", "middle"))
    for place, row in enumerate(rows):
        y = _TOP + place * _ROW + _ROW / 2
        parts.append(_text(_NAMES - 8, y + 4, row.name, "end"))
        parts.append(_path(f"M{across(row.interval[0])} {y}H{across(row.interval[1])}", ACCENT, 1.6))
        parts.append(f'<circle cx="{across(row.value)}" cy="{y}" r="4" fill="{ACCENT}"/>')
        ends = [row.interval[1], row.value]
        if row.second is not None:
            x = across(row.second)
            parts.append(_path(f"M{x} {y - 6}l6 6l-6 6l-6 -6z", SECOND, 1.6))
            ends.append(row.second)
        parts.append(_text(across(max(ends)) + 8, y + 4, row.text, "start"))
    return _svg(title, _WIDTH, bottom + 26, parts)


def stacked_bars(title: str, rows: Sequence[tuple[str, int, int]]) -> str:
    """Draw right (solid) and wrong (hatched by a second color) counts as bars.

    Args:
        rows: name, right and wrong images, from top to bottom.
    """
    most = max((right + wrong for _, right, wrong in rows), default=1) or 1
    width, parts = _WIDTH - _NAMES - 160, []
    for place, (name, right, wrong) in enumerate(rows):
        y = _TOP + place * _ROW
        ends = [right / most * width, (right + wrong) / most * width]
        parts.append(_text(_NAMES - 8, y + 15, name, "end"))
        parts.append(f'<rect x="{_NAMES}" y="{y + 4}" width="{ends[0]:.1f}" height="16" fill="{ACCENT}"/>')
        parts.append(
            f'<rect x="{_NAMES + ends[0]:.1f}" y="{y + 4}" width="{ends[1] - ends[0]:.1f}" height="16" '
            f'fill="{SECOND}"/>'
        )
        parts.append(_text(_NAMES + ends[1] + 6, y + 16, f"{right:,} right, {wrong:,} wrong", "start"))
    return _svg(title, _WIDTH, _TOP + len(rows) * _ROW + 6, parts)


def _svg(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height:.0f}" width="{width}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _path(path: str, color: str, width: float = 1.0, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="{path}" stroke="{color}" stroke-width="{width}" fill="none"{dashed}/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" font-size="12" {_FONT} fill="#10161e" text-anchor="{anchor}">{escape(text)}</text>'
