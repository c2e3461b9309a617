"""How many predictions are right and wrong, by the model's confidence."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fer_ui.charts.layout import LEGEND_PX, apply_layout, label_rows
from fer_ui.formatting import format_count, format_images, format_percent
from fer_ui.theme import SERIES

TITLE = "Right and wrong predictions by confidence"
_ROW_PX = 30


def confidence_bars(table: pd.DataFrame) -> go.Figure:
    """Plot `confidence_table` as stacked bars, the highest confidence on top."""
    figure = go.Figure([_bars(table, "right", SERIES[0], ""), _bars(table, "wrong", SERIES[3], "/")])
    figure.update_layout(barmode="stack", bargap=0.3, showlegend=True)
    most = float((table["right"] + table["wrong"]).max())
    figure.update_xaxes(range=[0, most], nticks=5, tickformat="~s" if most >= 100_000 else ",~r", ticks="")
    figure.update_xaxes(title_text="Images", title_standoff=8, showgrid=True, zeroline=False)
    label_rows(figure, [_range(row) for _, row in table.iterrows()])
    height = len(table) * _ROW_PX + LEGEND_PX + 60
    return apply_layout(figure, title=TITLE, subtitle=describe_confidence(table), height_px=height)


def describe_confidence(table: pd.DataFrame) -> str:
    """Say how many errors the model is sure of."""
    sure, errors = int(table.loc[table["from"] >= 0.9 - 1e-9, "wrong"].sum()), int(table["wrong"].sum())
    if not errors:
        return "No prediction is wrong."
    share = format_percent(sure / errors)
    return f"Of {format_count(errors)} errors, {format_count(sure)} ({share}) have a confidence of 90 % or more."


def _bars(table: pd.DataFrame, kind: str, color: str, pattern: str) -> go.Bar:
    marker: dict[str, Any] = {"color": color, "line": {"color": color, "width": 1}}
    if pattern:
        marker["pattern"] = {"shape": pattern, "size": 6, "solidity": 0.35, "fillmode": "replace"}
    return go.Bar(
        name=kind,
        orientation="h",
        y=list(range(len(table))),
        x=table[kind],
        marker=marker,
        hovertext=[
            f"Confidence {_range(row)}: {format_images(int(row[kind]))} {kind} of "
            f"{format_count(int(row['right'] + row['wrong']))}"
            for _, row in table.iterrows()
        ],
    )


def _range(row: pd.Series) -> str:
    return f"{row['from'] * 100:.0f} to {row['to'] * 100:.0f} %"
