"""Lines over epochs, their axis, and marks at single epochs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_ui.theme import SERIES

NO_EPOCHS = "No epoch has finished yet."

_MARKERS_MAX = 30
"""With more epochs, markers would overlap."""

_MARK_PX = 11
_SHADE_01 = 0.1


def known_columns(metrics: pd.DataFrame, *columns: str) -> list[str]:
    """Select the columns that exist and have a value."""
    return [column for column in columns if column in metrics and metrics[column].notna().any()]


def epoch_line(
    metrics: pd.DataFrame, column: str, value_format: str, *, name: str, line: dict[str, Any], **options: Any
) -> go.Scatter:
    """Plot a column as a line over epochs, with gaps where it is not finite.

    Args:
        metrics: one row for each epoch, in order.
        value_format: a format specification for the values in hover texts.
        line: color and dash; 2 px wide by default.
        options: passed to `go.Scatter`.
    """
    values = metrics[column].to_numpy(float)
    values = np.where(np.isfinite(values), values, np.nan)
    single, dashed = len(metrics) == 1, line.get("dash", "solid") != "solid"
    return go.Scatter(
        name=name,
        x=metrics["epoch"],
        y=values,
        mode="lines+markers" if single or (len(metrics) < _MARKERS_MAX and not dashed) else "lines",
        line={"width": 2, **line},
        marker={
            "size": 9 if single else 5,
            "color": line["color"],
            "symbol": "circle-open" if dashed else "circle",
        },
        hovertext=[
            f"Epoch {epoch}, {name}: {value:{value_format}}"
            for epoch, value in zip(metrics["epoch"], values, strict=True)
        ],
        **options,
    )


def split_line(color: str, *, dashed: bool) -> dict[str, Any]:
    """Build the line of a score: thin and dashed for training, else thick for validation."""
    return {"color": color, "dash": "dash" if dashed else "solid", "width": 1.5 if dashed else 2.5}


def legend_line(name: str, dash: str) -> go.Scatter:
    """Add an entry to the legend without data."""
    line = {"color": SERIES[1], "width": 2, "dash": dash}
    return go.Scatter(name=name, x=[None], y=[None], mode="lines", line=line)


def epoch_axis(figure: go.Figure, metrics: pd.DataFrame, *, title: bool = True) -> None:
    """Scale every horizontal axis to whole epochs with a small margin."""
    first, last = int(metrics["epoch"].min()), int(metrics["epoch"].max())
    margin = max(0.5, (last - first) * 0.02)
    figure.update_xaxes(range=[first - margin, last + margin], tickformat="d", nticks=10, zeroline=False)
    if last - first < 10:
        figure.update_xaxes(dtick=1)
    if title:
        figure.update_xaxes(title_text="epoch", title_standoff=8)


def mark_best(figure: go.Figure, metrics: pd.DataFrame, best_epoch: int | None) -> None:
    """Mark the best epoch by a dotted line and its number."""
    if best_epoch is None:
        return
    figure.add_vline(
        x=best_epoch,
        line={"width": 1, "dash": "dot", "color": SERIES[1]},
        annotation={
            "text": f" best: epoch {best_epoch} ",
            "font": {"size": _MARK_PX},
            "xanchor": "right" if _is_late(metrics, best_epoch) else "left",
            "yanchor": "bottom",
            "y": 0,
        },
    )


def shade_since(figure: go.Figure, metrics: pd.DataFrame, epoch: int, label: str) -> None:
    """Shade all epochs from `epoch` on, with a label."""
    late = _is_late(metrics, epoch)
    figure.add_vrect(
        x0=epoch,
        x1=float(figure.layout.xaxis.range[1]),
        fillcolor=SERIES[3],
        opacity=_SHADE_01,
        line_width=0,
        layer="below",
    )
    figure.add_annotation(
        text=f" {label} ",
        x=epoch,
        xref="x",
        y=1,
        yref="paper",
        xanchor="right" if late else "left",
        yanchor="top",
        showarrow=False,
        font={"size": _MARK_PX},
    )


def _is_late(metrics: pd.DataFrame, epoch: int) -> bool:
    first, last = int(metrics["epoch"].min()), int(metrics["epoch"].max())
    return epoch - first > (last - first) / 2
