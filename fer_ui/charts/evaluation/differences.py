"""How the F1 of each class differs between two models."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from fer_core.evaluation.analysis.comparison_text import format_p
from fer_core.evaluation.analysis.paired_comparison import ClassDifference
from fer_core.text import format_signed
from fer_ui.charts.layout import apply_layout, class_tick, label_rows, text_trace, whiskers
from fer_ui.theme import SERIES, TEXT

TITLE = "Difference in F1 by class"
_ROW_PX = 42
_LEAST_01 = 0.05
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
_TICKS_MAX = 4
"""On either side of zero."""


def differences_chart(classes: Sequence[ClassDifference], subtitle: str) -> go.Figure:
    """Plot the difference of each class with its interval; filled dots are those that are claimed.

    Args:
        classes: at least one; from top to bottom.
    """
    figure = go.Figure()
    for claimed, name, symbol in ((True, "shown difference", "circle"), (False, "no difference shown", "circle-open")):
        rows = [(row, each) for row, each in enumerate(classes) if each.is_claimed is claimed]
        if rows:
            figure.add_trace(_dots(rows, name, symbol))
    high = [each.interval[1] for each in classes]
    texts = [f" {format_signed(each.difference * 100, 1)}" for each in classes]
    figure.add_trace(text_trace(high, list(range(len(classes))), texts))
    end = max(_LEAST_01, *(abs(bound) for each in classes for bound in each.interval))
    figure.add_vline(x=0, line={"width": 1, "color": TEXT})
    figure.update_xaxes(range=[-end, end], title_text="Points of F1", title_standoff=8, showgrid=True, zeroline=False)
    figure.update_xaxes(ticks="", **_ticks(end))
    label_rows(figure, [class_tick(each.label, each.n) for each in classes])
    figure.update_layout(showlegend=True)
    return apply_layout(figure, title=TITLE, subtitle=subtitle, height_px=len(classes) * _ROW_PX + 96)


def _dots(rows: Sequence[tuple[int, ClassDifference]], name: str, symbol: str) -> go.Scatter:
    values = [each.difference for _, each in rows]
    color = SERIES[0] if symbol == "circle" else SERIES[1]
    return go.Scatter(
        name=name,
        x=values,
        y=[row for row, _ in rows],
        mode="markers",
        marker={"color": color, "symbol": symbol, "size": 10},
        error_x=whiskers(values, [each.interval[0] for _, each in rows], [each.interval[1] for _, each in rows], color),
        hovertext=[_hover_text(each) for _, each in rows],
    )


def _hover_text(each: ClassDifference) -> str:
    low, high = (format_signed(bound * 100, 1) for bound in each.interval)
    return (
        f"{each.label.value.capitalize()}: {format_signed(each.difference * 100, 1)} points of F1 "
        f"(95 %: {low} to {high}), {format_p(each.p)}"
    )


def _ticks(end: float) -> dict[str, list[object]]:
    step = next((step for step in _STEPS if end / step <= _TICKS_MAX), _STEPS[-1])
    values = [number * step for number in range(-int(end / step), int(end / step) + 1)]
    return {"tickvals": list(values), "ticktext": [format_signed(value * 100, 0) for value in values]}
