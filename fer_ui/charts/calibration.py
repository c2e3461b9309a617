"""The reliability diagram: a model's accuracy by its confidence."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from fer_core.evaluation.calibration_metrics import BIN_IMAGES_MIN, bin_images_min, nonempty_bins
from fer_core.evaluation.report_schema import StoredReport
from fer_ui.charts.layout import LEGEND_PX, SHARE_TICKS, apply_layout, empty_figure, whiskers
from fer_ui.formatting import format_count, format_images, format_percent
from fer_ui.theme import SERIES

TITLE = "Reliability diagram"
COLUMNS = ("point", "from", "to", "images", "confidence", "accuracy", "low", "high")

_COLORS = {"accurate": SERIES[0], "balanced": SERIES[2]}
_SYMBOLS = {"accurate": "circle", "balanced": "diamond"}
_PLOT_PX = 380
_DOT_PX = (6.0, 14.0)
_CALIBRATED_01 = 0.01
"""A smaller mean gap between confidence and accuracy is not mentioned."""


def calibration_table(reports: Sequence[StoredReport]) -> pd.DataFrame:
    """Tabulate the non-empty bins of each report's calibration curve, with the 95 % interval of the accuracy (0..1).

    Args:
        reports: those without a curve are skipped.
    """
    rows = []
    for report in reports:
        if report.calibration_curve:
            bins = nonempty_bins(report.calibration_curve)
            rows += [(str(report.point), *each[:-1], *each.interval) for each in bins]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def reliability_diagram(reports: Sequence[StoredReport]) -> go.Figure:
    """Plot one line for each operating point over the diagonal of perfect calibration.

    A dot is a bin of confidence, larger with more images; its whisker is the 95 % interval. Bins of very few images are
    only in the table.

    Args:
        reports: of one split under one protocol, one for each operating point.
    """
    table = calibration_table(reports)
    if table.empty:
        return empty_figure(TITLE, "This report has no calibration curve.")
    figure = go.Figure([_diagonal()])
    most = int(table["images"].max())
    plotted = table[table["images"] >= bin_images_min(most)]
    for point, rows in plotted.groupby("point", sort=False):
        figure.add_trace(_curve(str(point), rows, most))
    share = {"range": [-0.02, 1.02], **SHARE_TICKS}
    figure.update_xaxes(**share, title_text="Confidence", title_standoff=10, zeroline=False, showgrid=True)
    figure.update_yaxes(**share, title_text="Accuracy", title_standoff=6, zeroline=False)
    figure.update_layout(showlegend=True)
    subtitle = describe_calibration(reports)
    subtitle += f" Bins of fewer than {BIN_IMAGES_MIN} images are not shown." if len(plotted) < len(table) else ""
    return apply_layout(figure, title=TITLE, subtitle=subtitle, height_px=_PLOT_PX + 2 * LEGEND_PX)


def describe_calibration(reports: Sequence[StoredReport]) -> str:
    """Describe each point's calibration error, and whether it is over- or underconfident."""
    sentences = []
    for report in reports:
        if not (table := calibration_table([report])).empty:
            bias = f"on average {_format_gap(_mean_gap(table))}"
            sentences.append(f"{report.point.capitalize()} point: ECE {report.ece:.3f}, {bias}.")
    return " ".join(sentences)


def describe_bias(report: StoredReport) -> str:
    """Say whether a model's confidence can be taken at its word."""
    gap = _mean_gap(calibration_table([report]))
    if abs(gap) < _CALIBRATED_01:
        return "Well calibrated: of 100 faces shown with 80 %, about 80 are right."
    kind = "more" if gap > 0 else "less"
    return f"The model is {kind} confident than it is accurate, by {abs(gap) * 100:.1f} points on average."


def _mean_gap(table: pd.DataFrame) -> float:
    """Mean confidence minus accuracy over all images of a report's table, -1..1."""
    weights = table["images"] / table["images"].sum()
    return float(((table["confidence"] - table["accuracy"]) * weights).sum())


def _format_gap(gap: float) -> str:
    if abs(gap) < _CALIBRATED_01:
        return "well calibrated"
    return f"{abs(gap) * 100:.1f} points {'overconfident' if gap > 0 else 'underconfident'}"


def _diagonal() -> go.Scatter:
    return go.Scatter(
        name="perfect calibration",
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": SERIES[1], "width": 1.25, "dash": "dash"},
    )


def _curve(point: str, rows: pd.DataFrame, most: int) -> go.Scatter:
    color = _COLORS.get(point, SERIES[3])
    small, large = _DOT_PX
    return go.Scatter(
        name=f"{point} point",
        x=rows["confidence"],
        y=rows["accuracy"],
        mode="lines+markers",
        cliponaxis=False,
        line={"color": color, "width": 2},
        marker={
            "symbol": _SYMBOLS.get(point, "square"),
            "color": color,
            "opacity": 1,
            "size": [small + (large - small) * (n / most) ** 0.5 for n in rows["images"]],
        },
        error_y=whiskers(rows["accuracy"], rows["low"], rows["high"], color),
        hovertext=[_hover_text(point, row) for _, row in rows.iterrows()],
    )


def _hover_text(point: str, row: pd.Series) -> str:
    return (
        f"{point.capitalize()} point, confidence {format_percent(row['from'])} to {format_percent(row['to'])}: "
        f"{format_count(round(row['accuracy'] * row['images']))} of {format_images(int(row['images']))} correct "
        f"({format_percent(row['accuracy'])}; mean confidence {format_percent(row['confidence'])})"
    )
