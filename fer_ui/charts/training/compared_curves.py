"""One metric of several trainings, each with a color, a line style and a letter of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_core.text import shorten
from fer_ui.charts.layout import LEGEND_PX, apply_layout, empty_figure
from fer_ui.formatting import hover, percent
from fer_ui.theme import SERIES, TEXT

Splits = Literal["valid", "train", "both"]
Axis = Literal["epoch", "time"]

RUNS_MAX = 6
SPLIT_TITLES: dict[str, str] = {"valid": "validation", "train": "training"}

_COLORS = (*SERIES, TEXT)
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")
_LETTERS = "ABCDEF"
_TITLES = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "macro_f1": "Macro-F1",
    "balanced_accuracy": "Balanced accuracy",
    **{f"f1_{expression}": f"F1 of {expression}" for expression in Expression},
}
_UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
_NAME_CHARACTERS = 38
_MARKERS_MAX = 30
_PLOT_PX = 350
_INNER_PX = 250
_LETTER_PX = 14
_ROOM_01 = 0.06
"""Of the axis, behind the last epoch: for the lines' letters."""


class _Scale(NamedTuple):
    """What the horizontal axis counts."""

    column: str
    divisor: float
    title: str


def metric_title(metric: str) -> str:
    """A metric as a label: "F1 of fear"."""
    return _TITLES.get(metric, metric)


def run_letters(run_ids: Sequence[str]) -> dict[str, str]:
    """The letter of each run, in their order."""
    return dict(zip(run_ids, _LETTERS, strict=False))


def lettered_names(names: Mapping[str, str]) -> dict[str, str]:
    """What each run is called in a legend or above a column: its letter and its name, the middle of a long one cut."""
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
    """Draw a line a run, or a thick one for validation and a thin one for training.

    Args:
        curves: columns `run`, `epoch`, `elapsed_s`, `train`, `valid`; a row an epoch a run.
        names: what each run is called, by its id, in the order of the lines; at most `RUNS_MAX`.
        metric: one of `fer_core.training.config.learning.JUDGED`.
        best: the epoch that each run keeps, which is ringed.
        comparable: whether the runs were judged on the same images, so that one can be said to lead.
    """
    main = "train" if splits == "train" else "valid"
    scale = _scale(curves, axis)
    title = f"{metric_title(metric)} by {'epoch' if axis == 'epoch' else 'time of training'}"
    drawn = [run_id for run_id in names if _known(curves, run_id, (main, "train") if splits == "both" else (main,))]
    if not drawn:
        return empty_figure(title, f"Nothing was measured of the {SPLIT_TITLES[main]} images yet.")
    figure, best = go.Figure(), best or {}
    for place, (run_id, label) in enumerate(lettered_names(names).items()):
        rows = curves[curves["run"] == run_id]
        if run_id in drawn:
            figure.add_traces(_traces(rows, label, metric, place, scale, splits, best.get(run_id)))
    shown = curves[curves["run"].isin(drawn)]
    _axes(figure, shown, scale, metric)
    _write_letters(figure, shown, run_letters(list(names)), main, scale)
    words = describe_curves(curves, list(names), metric, main, comparable=comparable)
    words += " Thick lines are validation, thin ones training." if splits == "both" else ""
    words += " A ring marks the epoch that a run keeps." if any(best.values()) else ""
    figure.update_layout(showlegend=True)
    return apply_layout(figure, title=title, subtitle=words.strip(), height_px=_PLOT_PX + LEGEND_PX * len(drawn))


def describe_curves(
    curves: pd.DataFrame, run_ids: Sequence[str], metric: str, split: str, *, comparable: bool = True
) -> str:
    """Whose line goes highest, or lowest for the loss, and when, by letters; only of runs that can be compared."""
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
        return "These runs were judged on different images: read each line by itself."
    tops.sort()
    said = [f"{letter} {_value(metric, abs(value))} at epoch {epoch}" for value, letter, epoch in tops]
    return f"{'Lowest' if metric == 'loss' else 'Highest'} on the {SPLIT_TITLES[split]} images: {'; '.join(said)}."


def _known(curves: pd.DataFrame, run_id: str, columns: Sequence[str]) -> bool:
    return bool(curves.loc[curves["run"] == run_id, list(columns)].notna().any(axis=None))


def _scale(curves: pd.DataFrame, axis: Axis) -> _Scale:
    if axis == "epoch":
        return _Scale("epoch", 1.0, "epoch")
    longest = float(np.nan_to_num(curves["elapsed_s"].max())) if len(curves) else 0.0
    divisor, unit = next(((each, name) for each, name in _UNITS if longest >= 2 * each), _UNITS[-1])
    return _Scale("elapsed_s", divisor, f"{unit} of training")


def _traces(
    rows: pd.DataFrame, label: str, metric: str, place: int, scale: _Scale, splits: Splits, kept: int | None
) -> list[go.Scatter]:
    """A run's lines, the thin one first, and a ring round the epoch that it keeps."""
    main = "train" if splits == "train" else "valid"
    traces = [_line(rows, "train", label, metric, place, scale, thin=True)] if splits == "both" else []
    traces.append(_line(rows, main, label, metric, place, scale, thin=False))
    ring = _ring(rows[rows["epoch"] == kept], main, label, metric, place, scale)
    return [*traces, ring] if ring else traces


def _line(
    rows: pd.DataFrame, column: str, label: str, metric: str, place: int, scale: _Scale, *, thin: bool
) -> go.Scatter:
    color, points = _COLORS[place], len(rows) < _MARKERS_MAX and not thin
    known = rows[rows[column].notna()]
    return go.Scatter(
        name=f"{label}, {SPLIT_TITLES[column]}" if thin else label,
        legendgroup=label,
        showlegend=not thin,
        x=known[scale.column] / scale.divisor,
        y=known[column],
        mode="lines+markers" if points or len(known) == 1 else "lines",
        cliponaxis=False,
        opacity=0.8 if thin else 1.0,
        line={"color": color, "width": 1 if thin else 2.25, "dash": _DASHES[place]},
        marker={"symbol": _SYMBOLS[place], "size": 6 if len(known) > 1 else 9, "color": color},
        hoverinfo="text",
        hovertext=[
            hover(
                f"{label}: after epoch {epoch}, {metric_title(metric)} of the {SPLIT_TITLES[column]} images is {words}"
            )
            for epoch, words in zip(known["epoch"], (_value(metric, each) for each in known[column]), strict=True)
        ],
    )


def _ring(kept: pd.DataFrame, column: str, label: str, metric: str, place: int, scale: _Scale) -> go.Scatter | None:
    """A ring round the epoch that a run keeps."""
    kept = kept[kept[column].notna()]
    if kept.empty:
        return None
    marker: dict[str, Any] = {"symbol": "circle-open", "size": 13, "color": _COLORS[place], "line": {"width": 2}}
    epoch, value = int(kept["epoch"].iloc[-1]), float(kept[column].iloc[-1])
    return go.Scatter(
        name=f"{label}, kept",
        legendgroup=label,
        showlegend=False,
        x=kept[scale.column].tail(1) / scale.divisor,
        y=[value],
        mode="markers",
        marker=marker,
        cliponaxis=False,
        hoverinfo="text",
        hovertext=[hover(f"{label} keeps epoch {epoch}: {metric_title(metric)} is {_value(metric, value)}")],
    )


def _write_letters(
    figure: go.Figure, curves: pd.DataFrame, letters: Mapping[str, str], column: str, scale: _Scale
) -> None:
    """Each run's letter behind its last point; where lines end close together the letters make room for each other."""
    ends = curves[curves[column].notna()].groupby("run", sort=False).tail(1).sort_values(column)
    low, high = curves[column].min(), curves[column].max()
    px_each = _INNER_PX / ((high - low) or 1.0)
    place_px = -np.inf
    for _, end in ends.iterrows():
        own_px = float(end[column] - low) * px_each
        place_px = max(own_px, place_px + _LETTER_PX)
        figure.add_annotation(
            text=letters[end["run"]],
            x=end[scale.column] / scale.divisor,
            y=end[column],
            xanchor="left",
            xshift=9,
            yshift=place_px - own_px,
            showarrow=False,
            font={"color": TEXT, "size": 13},
        )


def _axes(figure: go.Figure, curves: pd.DataFrame, scale: _Scale, metric: str) -> None:
    values = curves[scale.column].dropna() / scale.divisor
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    low = low if scale.column == "epoch" else 0.0
    room = max(0.5 if scale.column == "epoch" else 0.0, (high - low) * _ROOM_01) or 1.0
    figure.update_xaxes(range=[low - room / 2, high + room], title_text=scale.title, title_standoff=8, zeroline=False)
    if scale.column == "epoch":
        figure.update_xaxes(tickformat="d", nticks=10, **({"dtick": 1} if high - low < 10 else {}))
    if metric == "loss":
        figure.update_yaxes(rangemode="tozero", nticks=6)
    else:
        figure.update_yaxes(tickformat="~%", nticks=6)


def _value(metric: str, value: float) -> str:
    return f"{value:.3f}" if metric == "loss" else percent(value)
