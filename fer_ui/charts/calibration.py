"""How often a model is right, by how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fer_core.evaluation.calibration_metrics import DRAWN_MIN, drawn_from, filled_bins
from fer_ui.charts.layout import LEGEND_PX, apply_layout, empty_figure
from fer_ui.formatting import count, hover, images, percent
from fer_ui.theme import SERIES

TITLE = "How often it is right, by how sure it is"
COLUMNS = ("point", "from", "to", "images", "confidence", "accuracy", "low", "high")

_COLORS = {"accurate": SERIES[0], "balanced": SERIES[2]}
_SYMBOLS = {"accurate": "circle", "balanced": "diamond"}
_PLOT_PX = 380
_DOT_PX = (6.0, 14.0)
_TICKS_01 = [0, 0.25, 0.5, 0.75, 1]
_EVEN_01 = 0.01
"""A mean gap of less than this is not worth a word."""


def calibration_table(reports: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """A row a bin that has images, of each report's curve; shares 0..1, with the 95 % interval of the accuracy.

    Args:
        reports: as `fer_core.evaluation.report.report` makes them; those without a curve are passed over.
    """
    rows = []
    for report in reports:
        if curve := report.get("calibration_curve"):
            rows += [(report["point"], *each[:-1], *each.interval) for each in filled_bins(curve)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def reliability_diagram(reports: Sequence[dict[str, Any]]) -> go.Figure:
    """Draw a line a point over the diagonal of a model that is right as often as it is sure.

    A dot is a bin of confidence, larger where it has more images; its whisker is the 95 % interval. Bins of very few
    images are in the table alone.

    Args:
        reports: of one part by one protocol, a point each.
    """
    table = calibration_table(reports)
    if table.empty:
        return empty_figure(TITLE, "This report does not say it.")
    figure = go.Figure([_diagonal()])
    most = int(table["images"].max())
    drawn = table[table["images"] >= drawn_from(most)]
    for point, rows in drawn.groupby("point", sort=False):
        figure.add_trace(_line(str(point), rows, most))
    share = {"range": [-0.02, 1.02], "tickvals": _TICKS_01, "ticktext": [percent(t, 0) for t in _TICKS_01]}
    figure.update_xaxes(**share, title_text="how sure it is", title_standoff=10, zeroline=False, showgrid=True)
    figure.update_yaxes(**share, title_text="how often it is right", title_standoff=6, zeroline=False)
    figure.update_layout(showlegend=True)
    words = describe_calibration(reports)
    words += f" Bins of fewer than {DRAWN_MIN} images are not drawn." if len(drawn) < len(table) else ""
    return apply_layout(figure, title=TITLE, subtitle=words, height_px=_PLOT_PX + 2 * LEGEND_PX)


def describe_calibration(reports: Sequence[dict[str, Any]]) -> str:
    """Of each point: the calibration error, and whether the model is surer than it is right."""
    said = []
    for report in reports:
        table = calibration_table([report])
        if table.empty:
            continue
        weights = table["images"] / table["images"].sum()
        gap = float(((table["confidence"] - table["accuracy"]) * weights).sum())
        more = "surer than it is right" if gap > 0 else "less sure than it is right"
        points = f"{abs(gap) * 100:.1f} points {more}" if abs(gap) >= _EVEN_01 else "as sure as it is right"
        said.append(
            f"{report['point'].capitalize()} point: calibration error {report['ece']:.3f}, on average {points}."
        )
    return " ".join(said)


def _diagonal() -> go.Scatter:
    return go.Scatter(
        name="as sure as right",
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": SERIES[1], "width": 1.25, "dash": "dash"},
        hoverinfo="skip",
    )


def _line(point: str, rows: pd.DataFrame, most: int) -> go.Scatter:
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
        error_y={
            "type": "data",
            "symmetric": False,
            "array": rows["high"] - rows["accuracy"],
            "arrayminus": rows["accuracy"] - rows["low"],
            "thickness": 1.2,
            "width": 3,
            "color": color,
        },
        hoverinfo="text",
        hovertext=[_hover_words(point, row) for _, row in rows.iterrows()],
    )


def _hover_words(point: str, row: pd.Series) -> str:
    return hover(
        f"{point.capitalize()} point: of the {images(int(row['images']))} it was {percent(row['from'], 0)} to "
        f"{percent(row['to'], 0)} sure of, {count(round(row['accuracy'] * row['images']))} are right "
        f"({percent(row['accuracy'])}; it was {percent(row['confidence'])} sure on average)"
    )
