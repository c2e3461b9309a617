"""The valence-arousal plane: how pleasant and how excited the faces of each expression were rated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_core.metrics import RANKED_IMAGES_MIN
from fer_core.text import format_signed
from fer_ui.charts.layout import LEGEND_PX, apply_layout, empty_figure
from fer_ui.formatting import format_images
from fer_ui.theme import TEXT, expression_color, expression_outline, expression_title, rgb

TITLE = "Valence and arousal"
QUADRANTS = {
    (1, 1): "pleasant, excited",
    (-1, 1): "unpleasant, excited",
    (-1, -1): "unpleasant, calm",
    (1, -1): "pleasant, calm",
}
_SIDE_PX = 410
_EDGE = 1.08
_POINT_01 = 0.45
_FAINT_01 = 0.25


def affect_plane(points: pd.DataFrame, summary: pd.DataFrame, shown: Sequence[Expression]) -> go.Figure:
    """Plot a sample of the images, and each expression's mean with an ellipse of one standard deviation.

    Args:
        points: `affect.sample_affect`.
        summary: `affect.summarize_affect`.
        shown: the expressions to draw; those without images are skipped.
    """
    known = summary[(summary["n"] > 0) & summary["expression"].isin([str(e) for e in shown])]
    if known.empty:
        return empty_figure(TITLE, "No image of these expressions has both values.")
    figure = go.Figure()
    rows = {Expression(row["expression"]): row for _, row in known.iterrows()}
    for expression, row in rows.items():
        figure.add_trace(_points(expression, points[points["label"] == str(expression)]))
        figure.add_trace(_std_ellipse(expression, row))
    for expression, row in rows.items():  # on top of all points
        figure.add_trace(_mean(expression, row))
    _style_plane(figure)
    figure.update_layout(showlegend=True)
    return apply_layout(
        figure, title=TITLE, subtitle=describe_affect(known), height_px=_SIDE_PX + 40 + 2 * LEGEND_PX
    ).update_layout(legend_itemsizing="constant")


def describe_affect(summary: pd.DataFrame) -> str:
    """Describe which expressions have the extreme means, and which two means are closest."""
    known = summary[summary["n"] > 0]
    if known.empty:
        return "No image has both values."
    total = format_images(int(known["n"].sum()))
    if len(known) == 1:
        row = known.iloc[0]
        where = f"{format_signed(row['valence_mean'])}, arousal {format_signed(row['arousal_mean'])}"
        return f"The mean of {total} labeled {row['expression']} is valence {where}."
    known = known[known["n"] >= RANKED_IMAGES_MIN]
    if len(known) < 2:
        return f"Fewer than two expressions have {RANKED_IMAGES_MIN} images with both values, too few to compare."
    pleasant, excited = (known.iloc[int(known[f"{name}_mean"].argmax())] for name in ("valence", "arousal"))
    text = (
        f"{expression_title(Expression(pleasant['expression']))} is the most pleasant "
        f"(valence {format_signed(pleasant['valence_mean'])}), {excited['expression']} the most excited "
        f"(arousal {format_signed(excited['arousal_mean'])})."
    )
    if len(known) > 2:
        one, other, distance = _closest_means(known)
        text += f" {expression_title(one)} and {other.value} have the closest means, {distance:.2f} apart."
    return text


def _closest_means(known: pd.DataFrame) -> tuple[Expression, Expression, float]:
    """Find the two expressions whose means are closest, and their Euclidean distance."""
    means = known[["valence_mean", "arousal_mean"]].to_numpy(float)
    distances = np.linalg.norm(means[:, None] - means[None], axis=2)
    distances[np.tril_indices(len(means))] = np.inf
    one, other = divmod(int(distances.argmin()), len(means))
    names = [Expression(name) for name in known["expression"]]
    return names[one], names[other], float(distances[one, other])


def _points(expression: Expression, points: pd.DataFrame) -> go.Scattergl:
    return go.Scattergl(
        name=expression_title(expression),
        legendgroup=str(expression),
        showlegend=False,
        x=points["valence"].to_numpy(float),
        y=points["arousal"].to_numpy(float),
        mode="markers",
        marker={"size": 5, "color": expression_color(expression), "opacity": _POINT_01, "line": {"width": 0}},
        hovertext=[
            f"{expression_title(expression)}: valence {format_signed(valence)}, arousal {format_signed(arousal)}"
            for valence, arousal in zip(points["valence"], points["arousal"], strict=True)
        ],
    )


def _std_ellipse(expression: Expression, row: pd.Series) -> go.Scatter:
    """Draw an ellipse with a radius of one standard deviation; empty for a single image."""
    angle = np.linspace(0, 2 * np.pi, 73)
    red, green, blue = rgb(expression_color(expression))
    return go.Scatter(
        name=f"{expression_title(expression)}, standard deviation",
        legendgroup=str(expression),
        showlegend=False,
        x=row["valence_mean"] + row["valence_std"] * np.cos(angle),
        y=row["arousal_mean"] + row["arousal_std"] * np.sin(angle),
        mode="lines",
        line={"width": 1.5, "color": expression_outline(expression)},
        fill="toself",
        fillcolor=f"rgba({red}, {green}, {blue}, 0.12)",
    )


def _mean(expression: Expression, row: pd.Series) -> go.Scatter:
    valence, arousal = (
        format_signed(row[f"{name}_mean"]) + ("" if np.isnan(row[f"{name}_std"]) else f" ± {row[f'{name}_std']:.2f}")
        for name in ("valence", "arousal")
    )
    return go.Scatter(
        name=expression_title(expression),
        legendgroup=str(expression),
        x=[row["valence_mean"]],
        y=[row["arousal_mean"]],
        mode="markers",
        marker={
            "size": 15,
            "symbol": "diamond",
            "color": expression_color(expression),
            "line": {"width": 2, "color": TEXT},
        },
        hovertext=(
            f"{expression_title(expression)}, mean of {format_images(int(row['n']))}: valence {valence}, arousal "
            f"{arousal}"
        ),
    )


def _style_plane(figure: go.Figure) -> None:
    figure.add_shape(
        type="circle", x0=-1, y0=-1, x1=1, y1=1, opacity=_FAINT_01, line={"width": 1, "color": TEXT}, layer="below"
    )
    for (right, up), meaning in QUADRANTS.items():
        figure.add_annotation(
            text=meaning,
            x=right * _EDGE,
            y=up * _EDGE,
            xanchor="right" if right > 0 else "left",
            yanchor="top" if up > 0 else "bottom",
            showarrow=False,
            font={"size": 11},
            opacity=0.8,
        )
    axis = {
        "range": [-_EDGE - 0.02, _EDGE + 0.02],
        "tickvals": [-1, -0.5, 0, 0.5, 1],
        "zeroline": True,
        "zerolinewidth": 1,
        "constrain": "domain",
        "ticks": "",
    }
    figure.update_xaxes(**axis, title_text="Valence (unpleasant to pleasant)", title_standoff=8)
    figure.update_yaxes(
        **axis,
        title_text="Arousal (calm to excited)",
        scaleanchor="x",
        scaleratio=1,
        constraintoward="top",
        title_standoff=4,
    )
