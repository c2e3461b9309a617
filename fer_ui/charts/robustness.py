"""Robustness to corruptions: macro-F1 by corruption and severity, as a heat map and as a panel for each."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fer_core.corruptions.corruption import SEVERITIES
from fer_core.evaluation.robustness_report import CorruptionCurve, RobustnessReport, RobustnessScores
from fer_core.metrics import HEADLINE_METRICS
from fer_core.text import format_points, format_signed, join_words
from fer_ui.charts.layout import apply_layout, label_rows
from fer_ui.charts.panels import lay_out_panels, make_panels, panel_axis, panel_line
from fer_ui.charts.training.epoch_lines import legend_line
from fer_ui.formatting import format_hover, format_interval, format_percent
from fer_ui.theme import SERIES, sequential_scale, text_on_scale

TITLE = "Robustness to corruptions"
_BAND_01 = 0.22
_CLEAN = "clean"
_ROW_PX = 30


def robustness_panels(report: RobustnessReport) -> go.Figure:
    """Plot macro-F1 with its 95 % interval from severity 0 (clean) to 5, the largest drop first."""
    ordered = sort_by_drop(report)
    figure = make_panels([_panel_title(report, curve) for curve in ordered], "severity")
    traces = [trace for panel, curve in enumerate(ordered, start=1) for trace in _traces(report, curve, panel)]
    figure.add_traces([*traces, legend_line(_CLEAN, "dash")])
    clean_f1 = report.clean.macro_f1
    figure.update_layout(shapes=[panel_line(n, y=clean_f1, dash="dash") for n in range(1, len(ordered) + 1)])
    figure.update_xaxes(range=[-0.25, SEVERITIES + 0.25], tickvals=list(range(SEVERITIES + 1)), zeroline=False)
    return lay_out_panels(figure, title=TITLE, subtitle=describe_robustness(report))


def robustness_heatmap(report: RobustnessReport) -> go.Figure:
    """Plot the change of macro-F1 by corruption and severity, in percentage points, the largest drop first.

    A cell's color is the share of the clean macro-F1 that is lost.
    """
    ordered = sort_by_drop(report)
    clean = report.clean.macro_f1
    changes = [[severity.scores.macro_f1 - clean for severity in curve.severities] for curve in ordered]
    losses = [[min(1.0, max(0.0, -change / clean)) if clean else 0.0 for change in row] for row in changes]
    severities = list(range(1, SEVERITIES + 1))
    figure = go.Figure(
        go.Heatmap(
            z=losses,
            x=severities,
            zmin=0,
            zmax=1,
            colorscale=sequential_scale(),
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    for row, (loss_row, change_row) in enumerate(zip(losses, changes, strict=True)):
        for severity, loss, change in zip(severities, loss_row, change_row, strict=True):
            font = {"size": 12, "color": text_on_scale(loss)}
            figure.add_annotation(x=severity, y=row, text=format_points(change), font=font, showarrow=False)
    figure.update_xaxes(tickvals=severities, title_text="severity", title_standoff=8, showgrid=False, ticks="")
    label_rows(figure, [escape(curve.title, quote=False) for curve in ordered])
    height_px = _ROW_PX * len(ordered) + 70
    figure = apply_layout(figure, title=TITLE, subtitle=_describe_heatmap(report), height_px=height_px)
    texts = [[format_hover(_hover_text(report, curve, each)) for each in severities] for curve in ordered]
    return figure.update_traces(hovertext=texts, hoverinfo="text")


def _describe_heatmap(report: RobustnessReport) -> str:
    text = "Change of macro-F1 against clean images, in percentage points."
    unharmed = [curve.title.lower() for curve in find_harmless(report)]
    return f"{text} Harmless: {join_words(unharmed)}." if 0 < len(unharmed) < len(report.corruptions) else text


def sort_by_drop(report: RobustnessReport) -> list[CorruptionCurve]:
    """Sort the corruptions by macro-F1 at the highest severity, the lowest first."""
    return sorted(report.corruptions, key=lambda curve: curve.severities[-1].scores.macro_f1)


def find_harmless(report: RobustnessReport) -> list[CorruptionCurve]:
    """Find the corruptions under which macro-F1 stays within its clean 95 % interval at every severity."""
    low, _ = report.clean.intervals["macro_f1"]
    return [c for c in report.corruptions if min(severity.scores.macro_f1 for severity in c.severities) >= low]


def describe_robustness(report: RobustnessReport) -> str:
    """Explain the numbers in the panels' titles, and name the corruptions without a significant drop."""
    text = f"Titles: change in macro-F1 at severity {SEVERITIES}, in points."
    unharmed = [curve.title.lower() for curve in find_harmless(report)]
    if len(unharmed) == len(report.corruptions):
        return f"{text} No corruption leaves the 95 % interval of the clean images."
    return f"{text} Always within the interval of the clean images: {join_words(unharmed)}." if unharmed else text


def robustness_table(report: RobustnessReport) -> pd.DataFrame:
    """Tabulate the report's scores (0..1), one row for each corruption and severity, clean images first."""
    rows: list[dict[str, Any]] = [
        {"corruption": _CLEAN, "severity": 0, "description": "", **_score_columns(report.clean)}
    ]
    for curve in report.corruptions:
        for severity, result in enumerate(curve.severities, start=1):
            case = {"corruption": curve.name, "severity": severity, "description": result.description}
            rows.append({**case, **_score_columns(result.scores)})
    return pd.DataFrame(rows)


def _score_columns(scores: RobustnessScores) -> dict[str, float]:
    cells: dict[str, float] = {}
    for name in HEADLINE_METRICS:
        cells[name] = getattr(scores, name)
        cells[f"{name}_low"], cells[f"{name}_high"] = scores.intervals[name]
    return {**cells, "ece": scores.ece}


def _panel_title(report: RobustnessReport, curve: CorruptionCurve) -> str:
    points = (curve.severities[-1].scores.macro_f1 - report.clean.macro_f1) * 100
    # Plotly would read markup in a title that comes from a file.
    return f"{escape(curve.title, quote=False)} {format_signed(points, 0)}"


def _traces(report: RobustnessReport, curve: CorruptionCurve, panel: int) -> Sequence[go.Scatter]:
    all_scores = [report.clean, *(severity.scores for severity in curve.severities)]
    severities = list(range(SEVERITIES + 1))
    low, high = zip(*(scores.intervals["macro_f1"] for scores in all_scores), strict=True)
    axes = {"xaxis": panel_axis("x", panel), "yaxis": panel_axis("y", panel)}
    band = go.Scatter(
        name="95 %",
        x=[*severities, *reversed(severities)],
        y=[*high, *reversed(low)],
        mode="lines",
        line={"width": 0, "color": SERIES[0]},
        fill="toself",
        fillcolor=SERIES[0],
        opacity=_BAND_01,
        showlegend=panel == 1,
        **axes,
    )
    line = go.Scatter(
        name="macro-F1",
        x=severities,
        y=[scores.macro_f1 for scores in all_scores],
        mode="lines+markers",
        line={"width": 2, "color": SERIES[0]},
        marker={"size": 5, "color": SERIES[0]},
        hovertext=[_hover_text(report, curve, severity) for severity in severities],
        showlegend=panel == 1,
        **axes,
    )
    return line, band


def _hover_text(report: RobustnessReport, curve: CorruptionCurve, severity: int) -> str:
    scores = curve.severities[severity - 1].scores if severity else report.clean
    metrics = (
        f"macro-F1 {format_percent(scores.macro_f1)} (95 %: {format_interval(*scores.intervals['macro_f1'])}), "
        f"accuracy {format_percent(scores.accuracy)}"
    )
    if not severity:
        return f"Clean images: {metrics}."
    points = (report.clean.macro_f1 - scores.macro_f1) * 100
    change = f"{abs(points):.1f} points {'lower' if points > 0 else 'higher'} than clean"
    return f"{curve.title}, severity {severity} ({curve.severities[severity - 1].description}): {metrics}; {change}."
