"""The class distributions of several datasets side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_core.metrics import RANKED_IMAGES_MIN
from fer_core.text import shorten
from fer_ui.charts.layout import LEGEND_PX, apply_layout, empty_figure, style_class_bars
from fer_ui.formatting import format_count, format_percent
from fer_ui.theme import SERIES, expression_title

TITLE = "Class distribution by dataset"
DATASETS_MAX = len(SERIES)
"""The number of distinguishable colors."""

_BAR_PX = 15
_ROW_GAP_PX = 14
_NAME_CHARACTERS = 30
_LEGEND_CHARACTERS = 40
"""A line of the legend on a phone."""


def class_comparison(shares: pd.DataFrame) -> go.Figure:
    """Plot, for each expression, one bar for each dataset.

    Args:
        shares: columns `dataset` (at most `DATASETS_MAX` names), `expression`, `count` and `share_01`, NaN where
            the dataset has no images of the compared expressions.
    """
    if shares.empty:
        return empty_figure(TITLE, "There is nothing to compare.")
    figure = go.Figure()
    names = list(dict.fromkeys(shares["dataset"]))
    for name, color in zip(names, SERIES, strict=False):
        figure.add_trace(_bars(name, shares[shares["dataset"] == name], color))
    rows = shares["expression"].nunique()
    row_px = _ROW_GAP_PX + _BAR_PX * len(names)
    figure.update_layout(barmode="group", bargap=_ROW_GAP_PX / row_px, showlegend=True)
    longest = 100 * float(np.nan_to_num(shares["share_01"].to_numpy(float)).max())
    title = "share of the images with these expressions"
    style_class_bars(figure, longest or 1, ticksuffix=" %", title_text=title)
    return apply_layout(
        figure,
        title=TITLE,
        subtitle=describe_comparison(shares),
        height_px=rows * row_px + 84 + LEGEND_PX * _legend_lines(names),
    )


def describe_comparison(shares: pd.DataFrame) -> str:
    """Describe which expression's share differs most between the datasets."""
    known = shares.dropna(subset="share_01")
    if known["dataset"].nunique() < 2:
        return ""
    table = known.pivot(index="expression", columns="dataset", values="share_01")
    spread = table.max(axis=1) - table.min(axis=1)
    spread = spread[known.groupby("expression")["count"].sum() >= RANKED_IMAGES_MIN]
    if spread.empty:
        return f"No expression has {RANKED_IMAGES_MIN} images, too few to compare."
    name = str(spread.idxmax())
    if spread[name] < 0.01:
        return "All of them have about the same class distribution."
    row = {str(dataset): float(share) for dataset, share in table.loc[[name]].iloc[0].dropna().items()}
    most, least = max(row, key=row.__getitem__), min(row, key=row.__getitem__)
    title = expression_title(Expression(name))
    return f"{title} differs most: {format_percent(row[most])} of {most}, {format_percent(row[least])} of {least}."


def _bars(name: str, rows: pd.DataFrame, color: str) -> go.Bar:
    shares = rows["share_01"].to_numpy(float)
    return go.Bar(
        name=shorten(name, _NAME_CHARACTERS),
        orientation="h",
        y=[expression_title(Expression(value)) for value in rows["expression"]],
        x=100 * np.nan_to_num(shares),
        text=["no images" if np.isnan(share) else format_percent(float(share)) for share in shares],
        textposition="outside",
        textangle=0,
        cliponaxis=False,
        hovertext=[
            _hover_text(name, expression, number, share)
            for expression, number, share in zip(rows["expression"], rows["count"], shares, strict=True)
        ],
        marker={"color": color},
    )


def _hover_text(name: str, expression: str, number: int, share_01: float) -> str:
    if np.isnan(share_01):
        return f"{name}: no images of these expressions"
    return f"{name}: {format_count(number)} labeled {expression} ({format_percent(share_01)})"


def _legend_lines(names: list[str]) -> int:
    """Count the legend's lines on a phone, where every entry is as wide as the widest."""
    widest = max(len(shorten(name, _NAME_CHARACTERS)) for name in names) + 6
    return -(-len(names) // max(1, _LEGEND_CHARACTERS // widest))
