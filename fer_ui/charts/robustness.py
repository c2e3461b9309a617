"""What disturbances cost a model: a small panel a disturbance, macro-F1 against the strength."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer_core.evaluation.report_file import METRICS
from fer_core.evaluation.robustness_report import CorruptionCurve, RobustnessReport, Scores
from fer_core.text import join_words
from fer_ui.charts.layout import LEGEND_PX, apply_layout
from fer_ui.charts.training.epoch_lines import legend_line
from fer_ui.formatting import hover, interval, percent
from fer_ui.theme import SERIES

TITLE = "Macro-F1 under each disturbance"
_ACROSS = 2
"""Two panels fit a phone, and half of a wide page."""

_PANEL_PX = 112
_TOP_PX = 52
_BAND_01 = 0.22
_NAME = "macro-F1"
_BAND = "95 %"
_BEFORE = "clean"


def robustness_panels(report: RobustnessReport) -> go.Figure:
    """Draw macro-F1 with its 95 % interval from strength 0 (undisturbed) to 5; what costs most comes first."""
    ordered = sort_by_drop(report)
    rows = -(-len(ordered) // _ACROSS)
    figure = make_subplots(
        rows=rows,
        cols=_ACROSS,
        shared_xaxes=True,
        shared_yaxes=True,
        horizontal_spacing=0.06,
        vertical_spacing=0.3 / rows,
        subplot_titles=[_panel_title(report, curve) for curve in ordered],
    )
    drawn = [trace for panel, curve in enumerate(ordered, start=1) for trace in _traces(report, curve, panel)]
    figure.add_traces([*drawn, legend_line(_BEFORE, "dash")])
    figure.update_layout(shapes=[_level_line(report, panel) for panel in range(1, len(ordered) + 1)])
    ticks = list(range(report.parameter_range + 1))
    figure.update_xaxes(range=[-0.25, report.parameter_range + 0.25], tickvals=ticks, zeroline=False)
    figure.update_xaxes(title_text="strength", title_standoff=8, row=rows)
    figure.update_yaxes(range=[-0.04, 1.04], tickvals=[0, 0.5, 1], tickformat=".0%")
    figure.update_layout(showlegend=True)
    height_px = rows * _PANEL_PX + LEGEND_PX + 82
    apply_layout(figure, title=TITLE, subtitle=describe_robustness(report), height_px=height_px)
    # The buttons would lie on the name of the second panel.
    return figure.update_layout(margin_t=_TOP_PX).update_annotations(font_size=13)


def sort_by_drop(report: RobustnessReport) -> list[CorruptionCurve]:
    """The disturbances, the one under whose strength 5 least is left of macro-F1 first."""
    return sorted(report.corruptions, key=lambda curve: curve.severities[-1].scores.macro_f1)


def find_harmless(report: RobustnessReport) -> list[CorruptionCurve]:
    """Disturbances under which macro-F1 stays within its undisturbed 95 % interval at every strength."""
    low, _ = report.clean.intervals["macro_f1"]
    return [c for c in report.corruptions if min(severity.scores.macro_f1 for severity in c.severities) >= low]


def describe_robustness(report: RobustnessReport) -> str:
    """What the numbers in the panels' names mean, and what costs nothing that can be told from chance."""
    words = f"Beside each name: the points that strength {report.parameter_range} costs."
    unharmed = [curve.title.lower() for curve in find_harmless(report)]
    if len(unharmed) == len(report.corruptions):
        return f"{words} None leaves the interval of the undisturbed figure."
    return f"{words} Within the undisturbed interval throughout: {join_words(unharmed)}." if unharmed else words


def describe_worst_corruption(report: RobustnessReport) -> str:
    """What costs most, in a sentence."""
    worst = report.worst()
    if worst.drop_01 <= 0:
        return "No disturbance lowers macro-F1."
    before, after = (percent(figure) for figure in (report.clean.macro_f1, worst.found.scores.macro_f1))
    return (
        f"{worst.curve.title} costs most: at strength {worst.severity} ({worst.found.description}) macro-F1 falls from "
        f"{before} to {after}."
    )


def robustness_table(report: RobustnessReport) -> pd.DataFrame:
    """Every figure of the report, a row a case, undisturbed first; shares are 0..1."""
    rows: list[dict[str, Any]] = [{"disturbance": _BEFORE, "strength": 0, "what": "", **_figures(report.clean)}]
    for curve in report.corruptions:
        for severity, each in enumerate(curve.severities, start=1):
            what = {"disturbance": curve.name, "strength": severity, "what": each.description}
            rows.append({**what, **_figures(each.scores)})
    return pd.DataFrame(rows)


def _figures(scores: Scores) -> dict[str, float]:
    cells: dict[str, float] = {}
    for name in METRICS:
        cells[name] = getattr(scores, name)
        cells[f"{name}_low"], cells[f"{name}_high"] = scores.intervals[name]
    return {**cells, "ece": scores.ece}


def _panel_title(report: RobustnessReport, curve: CorruptionCurve) -> str:
    points = round((curve.severities[-1].scores.macro_f1 - report.clean.macro_f1) * 100)
    sign = "\N{MINUS SIGN}" if points < 0 else "+" if points else ""
    return f"{_safe(curve.title)} {sign}{abs(points)}"


def _traces(report: RobustnessReport, curve: CorruptionCurve, panel: int) -> Sequence[go.Scatter]:
    """The interval as a band, and the line on it."""
    standings = [report.clean, *(severity.scores for severity in curve.severities)]
    parameter_range = list(range(report.parameter_range + 1))
    low, high = zip(*(scores.intervals["macro_f1"] for scores in standings), strict=True)
    axes = {"xaxis": _axis("x", panel), "yaxis": _axis("y", panel)}
    band = go.Scatter(
        name=_BAND,
        x=[*parameter_range, *reversed(parameter_range)],
        y=[*high, *reversed(low)],
        mode="lines",
        line={"width": 0, "color": SERIES[0]},
        fill="toself",
        fillcolor=SERIES[0],
        opacity=_BAND_01,
        hoverinfo="skip",
        showlegend=panel == 1,
        **axes,
    )
    line = go.Scatter(
        name=_NAME,
        x=parameter_range,
        y=[scores.macro_f1 for scores in standings],
        mode="lines+markers",
        line={"width": 2, "color": SERIES[0]},
        marker={"size": 5, "color": SERIES[0]},
        hoverinfo="text",
        hovertext=[hover(_said(report, curve, severity)) for severity in parameter_range],
        showlegend=panel == 1,
        **axes,
    )
    return line, band


def _said(report: RobustnessReport, curve: CorruptionCurve, severity: int) -> str:
    """One point in words."""
    scores = curve.severities[severity - 1].scores if severity else report.clean
    metrics = (
        f"macro-F1 is {percent(scores.macro_f1)} (95 %: {interval(*scores.intervals['macro_f1'])}), "
        f"accuracy {percent(scores.accuracy)}"
    )
    if not severity:
        return f"Undisturbed, {metrics}."
    points = (report.clean.macro_f1 - scores.macro_f1) * 100
    than = f"{abs(points):.1f} points {'less' if points > 0 else 'more'} than undisturbed"
    return f"{curve.title}, strength {severity} ({curve.severities[severity - 1].description}): {metrics}; {than}."


def _level_line(report: RobustnessReport, panel: int) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": f"{_axis('x', panel)} domain",
        "yref": _axis("y", panel),
        "x0": 0,
        "x1": 1,
        "y0": report.clean.macro_f1,
        "y1": report.clean.macro_f1,
        "line": {"width": 1, "dash": "dash", "color": SERIES[1]},
    }


def _axis(letter: str, panel: int) -> str:
    """How Plotly names a panel's axis: the first one's has no number."""
    return letter if panel == 1 else f"{letter}{panel}"


def _safe(title: str) -> str:
    """A title from a file, with nothing that Plotly would take for markup."""
    return title.replace("&", "&amp;").replace("<", "&lt;")
