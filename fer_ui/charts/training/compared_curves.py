"""Learning curves of several runs, each with its own color, line style and letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.data.record import SPLIT_TITLES
from fer_core.metrics import METRIC_TITLES
from fer_core.text import shorten
from fer_ui.charts.layout import LEGEND_PX, SHARE_AXIS, apply_layout, empty_figure
from fer_ui.formatting import format_percent
from fer_ui.theme import SERIES, TEXT

Splits = Literal["valid", "train", "both"]
Axis = Literal["epoch", "time"]


_COLORS = (*SERIES, TEXT)
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")
_LETTERS = "ABCDEF"
_UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
_NAME_CHARACTERS = 38
_MARKERS_MAX = 30
_PLOT_PX = 350
_INNER_PX = 250
_LETTER_PX = 14
_LETTER_ROOM_01 = 0.06
"""Share of the axis behind the last epoch, for the letters."""


class _Scale(NamedTuple):
    column: str
    divisor: float
    title: str


def run_letters(run_ids: Sequence[str]) -> dict[str, str]:
    """Assign a letter to each run, in their order."""
    return dict(zip(run_ids, _LETTERS, strict=False))


def lettered_names(names: Mapping[str, str]) -> dict[str, str]:
    """Name each run by its letter and its shortened name, for legends and table columns."""
    letters = run_letters(list(names))
    return {
        run_id: f"{letters[run_id]}: {shorten(name, _NAME_CHARACTERS)}"
        for run_id, name in names.items()
        if run_id in letters
    }


def compared_curves(
    curves: pd.DataFrame,
    names: Mapping[str, str],
    metric: str,
    *,
    splits: Splits = "valid",
    axis: Axis = "epoch",
    best: Mapping[str, int | None] | None = None,
    comparable: bool = True,
) -> go.Figure:
    """Plot one line for each run, or a thick one for validation and a thin one for training.

    Args:
        curves: columns `run`, `epoch`, `elapsed_s`, `train`, `valid`; one row for each epoch of each run.
        names: the runs' names by id, in the order of the lines; at most `RUNS_MAX`.
        metric: one of `fer_core.training.config.optimization.MONITORED_METRICS`.
        best: each run's best epoch, which gets a ring.
        comparable: whether the runs were evaluated on the same images, so that they can be ranked.
    """
    main = "train" if splits == "train" else "valid"
    scale = _scale(curves, axis)
    title = f"{METRIC_TITLES[metric]} by {'epoch' if axis == 'epoch' else 'training time'}"
    plotted = [
        run_id for run_id in names if _has_values(curves, run_id, (main, "train") if splits == "both" else (main,))
    ]
    if not plotted:
        return empty_figure(title, f"There are no {SPLIT_TITLES[main]} scores yet.")
    figure, best = go.Figure(), best or {}
    for index, (run_id, label) in enumerate(lettered_names(names).items()):
        rows = curves[curves["run"] == run_id]
        if run_id in plotted:
            figure.add_traces(_traces(rows, label, metric, index, scale, splits, best.get(run_id)))
    shown = curves[curves["run"].isin(plotted)]
    _axes(figure, shown, scale, metric)
    _add_letters(figure, shown, run_letters(list(names)), main, scale)
    subtitle = describe_curves(curves, list(names), metric, main, comparable=comparable)
    subtitle += " Thick lines are validation, thin lines training." if splits == "both" else ""
    subtitle += " Rings mark the best epochs." if any(best.values()) else ""
    figure.update_layout(showlegend=True)
    return apply_layout(figure, title=title, subtitle=subtitle.strip(), height_px=_PLOT_PX + LEGEND_PX * len(plotted))


def describe_curves(
    curves: pd.DataFrame, run_ids: Sequence[str], metric: str, split: str, *, comparable: bool = True
) -> str:
    """Rank comparable runs by their highest score, or lowest loss, with its epoch."""
    sign = -1 if metric == "loss" else 1
    tops = []
    for run_id, letter in run_letters(run_ids).items():
        rows = curves[(curves["run"] == run_id) & curves[split].notna()]
        if not rows.empty:
            top = rows.iloc[int(np.argmax(sign * rows[split].to_numpy(float)))]
            tops.append((-sign * float(top[split]), letter, int(top["epoch"])))
    if not tops:
        return ""
    if len(tops) > 1 and not comparable:
        return "These runs were evaluated on different images and can't be compared."
    tops.sort()
    ranking = [f"{letter} {_format_value(metric, abs(value))} at epoch {epoch}" for value, letter, epoch in tops]
    return f"{'Lowest' if metric == 'loss' else 'Highest'} on {SPLIT_TITLES[split]}: {'; '.join(ranking)}."


def _has_values(curves: pd.DataFrame, run_id: str, columns: Sequence[str]) -> bool:
    return bool(curves.loc[curves["run"] == run_id, list(columns)].notna().any(axis=None))


def _scale(curves: pd.DataFrame, axis: Axis) -> _Scale:
    if axis == "epoch":
        return _Scale("epoch", 1.0, "epoch")
    longest = float(np.nan_to_num(curves["elapsed_s"].max())) if len(curves) else 0.0
    divisor, unit = next(((each, name) for each, name in _UNITS if longest >= 2 * each), _UNITS[-1])
    return _Scale("elapsed_s", divisor, f"training time ({unit})")


def _traces(
    rows: pd.DataFrame, label: str, metric: str, index: int, scale: _Scale, splits: Splits, best: int | None
) -> list[go.Scatter]:
    """Draw a run's lines, the thin one first, and a ring at its best epoch."""
    main = "train" if splits == "train" else "valid"
    traces = [_line(rows, "train", label, metric, index, scale, thin=True)] if splits == "both" else []
    traces.append(_line(rows, main, label, metric, index, scale, thin=False))
    ring = _ring(rows[rows["epoch"] == best], main, label, metric, index, scale)
    return [*traces, ring] if ring else traces


def _line(
    rows: pd.DataFrame, column: str, label: str, metric: str, index: int, scale: _Scale, *, thin: bool
) -> go.Scatter:
    color, points = _COLORS[index], len(rows) < _MARKERS_MAX and not thin
    known = rows[rows[column].notna()]
    name = f"{SPLIT_TITLES[column]} {METRIC_TITLES[metric]}"
    return go.Scatter(
        name=f"{label}, {SPLIT_TITLES[column]}" if thin else label,
        legendgroup=label,
        showlegend=not thin,
        x=known[scale.column] / scale.divisor,
        y=known[column],
        mode="lines+markers" if points or len(known) == 1 else "lines",
        cliponaxis=False,
        opacity=0.8 if thin else 1.0,
        line={"color": color, "width": 1 if thin else 2.25, "dash": _DASHES[index]},
        marker={"symbol": _SYMBOLS[index], "size": 6 if len(known) > 1 else 9, "color": color},
        hovertext=[
            f"{label}, epoch {epoch}: {name} {_format_value(metric, value)}"
            for epoch, value in zip(known["epoch"], known[column], strict=True)
        ],
    )


def _ring(rows: pd.DataFrame, column: str, label: str, metric: str, index: int, scale: _Scale) -> go.Scatter | None:
    """Draw a ring at a run's best epoch; None where it is unknown."""
    rows = rows[rows[column].notna()]
    if rows.empty:
        return None
    epoch, value = int(rows["epoch"].iloc[-1]), float(rows[column].iloc[-1])
    return go.Scatter(
        name=f"{label}, best epoch",
        legendgroup=label,
        showlegend=False,
        x=rows[scale.column].tail(1) / scale.divisor,
        y=[value],
        mode="markers",
        marker={"symbol": "circle-open", "size": 13, "color": _COLORS[index], "line": {"width": 2}},
        cliponaxis=False,
        hovertext=[f"{label}, best epoch {epoch}: {METRIC_TITLES[metric]} {_format_value(metric, value)}"],
    )


def _add_letters(
    figure: go.Figure, curves: pd.DataFrame, letters: Mapping[str, str], column: str, scale: _Scale
) -> None:
    """Write each run's letter behind its last point, shifted where lines end close together."""
    ends = curves[curves[column].notna()].groupby("run", sort=False).tail(1).sort_values(column)
    low, high = curves[column].min(), curves[column].max()
    px_each = _INNER_PX / ((high - low) or 1.0)
    letter_px = -np.inf
    for _, end in ends.iterrows():
        own_px = float(end[column] - low) * px_each
        letter_px = max(own_px, letter_px + _LETTER_PX)
        figure.add_annotation(
            text=letters[end["run"]],
            x=end[scale.column] / scale.divisor,
            y=end[column],
            xanchor="left",
            xshift=9,
            yshift=letter_px - own_px,
            showarrow=False,
            font={"color": TEXT, "size": 13},
        )


def _axes(figure: go.Figure, curves: pd.DataFrame, scale: _Scale, metric: str) -> None:
    values = curves[scale.column].dropna() / scale.divisor
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    low = low if scale.column == "epoch" else 0.0
    room = max(0.5 if scale.column == "epoch" else 0.0, (high - low) * _LETTER_ROOM_01) or 1.0
    figure.update_xaxes(range=[low - room / 2, high + room], title_text=scale.title, title_standoff=8, zeroline=False)
    if scale.column == "epoch":
        figure.update_xaxes(tickformat="d", nticks=10, **({"dtick": 1} if high - low < 10 else {}))
    if metric == "loss":
        figure.update_yaxes(rangemode="tozero", nticks=6)
    else:
        figure.update_yaxes(**SHARE_AXIS, nticks=6)


def _format_value(metric: str, value: float) -> str:
    return f"{value:.3f}" if metric == "loss" else format_percent(value)
