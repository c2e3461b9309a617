"""How a training went, epoch by epoch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_ui.charts.layout import apply_layout, empty_figure
from fer_ui.numbers import hover, percent
from fer_ui.theme import SERIES

LOSS_TITLE = "Loss by epoch"
SCORES_TITLE = "Scores by epoch"
_NONE_YET = "No epoch has finished yet."
_RISING_EPOCHS = 3
"""Validation loss goes up and down by itself; this many epochs past its lowest it counts as a trend."""

_RISE_01 = 0.02
_HEIGHT_PX = 350

_LOSSES = {"train_loss": "training", "valid_loss": "validation"}
_SCORES = {
    "valid_accuracy": "accuracy",
    "valid_balanced_accuracy": "balanced accuracy",
    "valid_macro_f1": "macro-F1",
    "train_accuracy": "training accuracy",
}
_LINES = {
    "train_loss": (SERIES[1], "dash"),
    "valid_loss": (SERIES[0], "solid"),
    "train_accuracy": (SERIES[1], "dash"),
    "valid_accuracy": (SERIES[0], "solid"),
    "valid_balanced_accuracy": (SERIES[2], "solid"),
    "valid_macro_f1": (SERIES[3], "solid"),
}


class TrainingCurves(NamedTuple):
    """The two pictures of a training."""

    loss: go.Figure
    scores: go.Figure


def training_curves(metrics: pd.DataFrame, best_epoch: int | None = None) -> TrainingCurves:
    """Draw a training's figures.

    Args:
        metrics: a row an epoch; columns `epoch` and any of train_loss, valid_loss, train_accuracy, valid_accuracy,
            valid_balanced_accuracy, valid_macro_f1 (scores 0..1). A missing column is left out.
        best_epoch: the epoch that was kept; found with `find_best_epoch` when not given.
    """
    if metrics.empty:
        return TrainingCurves(empty_figure(LOSS_TITLE, _NONE_YET), empty_figure(SCORES_TITLE, _NONE_YET))
    ordered = metrics.sort_values("epoch")
    best = find_best_epoch(ordered) if best_epoch is None else best_epoch
    loss = _lines(ordered, _LOSSES, "loss of the {name} images is {value:.3f}")
    loss.update_yaxes(rangemode="tozero", nticks=6)
    scores = _lines(ordered, _SCORES, "{name} is {value:.1%}")
    scores.update_yaxes(tickformat=".0%", nticks=6)
    for figure in (loss, scores):
        _mark_epoch(figure, ordered, best)
    curves = TrainingCurves(
        apply_layout(loss, title=LOSS_TITLE, subtitle=loss_words(ordered), height_px=_HEIGHT_PX),
        apply_layout(scores, title=SCORES_TITLE, subtitle=scores_words(ordered, best), height_px=_HEIGHT_PX),
    )
    for figure in curves:
        figure.update_layout(showlegend=True)
    return curves


def find_best_epoch(metrics: pd.DataFrame) -> int | None:
    """The epoch with the highest macro-F1, or else accuracy, or else the lowest validation loss."""
    for column, sign in (("valid_macro_f1", 1), ("valid_accuracy", 1), ("valid_loss", -1)):
        if column in metrics and metrics[column].notna().any():
            return int(metrics["epoch"].iloc[int(np.nanargmax(sign * metrics[column].to_numpy(float)))])
    return None


def loss_words(metrics: pd.DataFrame) -> str:
    """What the two losses say together: over-fitting, still improving, or where it was lowest."""
    if metrics.empty or not {"epoch", "valid_loss"} <= set(metrics) or metrics["valid_loss"].isna().all():
        return ""
    known = metrics[metrics["valid_loss"].notna()].sort_values("epoch")
    lowest, last = known.iloc[int(known["valid_loss"].argmin())], known.iloc[-1]
    since = int(last["epoch"] - lowest["epoch"])
    if len(known) == 1:
        return f"After one epoch the validation loss is {last['valid_loss']:.2f}."
    if since == 0:
        return f"Validation loss was lowest in the last epoch ({last['valid_loss']:.2f}): it was still improving."
    rose = last["valid_loss"] > lowest["valid_loss"] * (1 + _RISE_01)
    fell = "train_loss" in known and last["train_loss"] < lowest["train_loss"]
    if since >= _RISING_EPOCHS and rose and fell:
        gap = last["valid_loss"] - last["train_loss"]
        return (
            f"Over-fitting: since epoch {int(lowest['epoch'])} the validation loss rose from "
            f"{lowest['valid_loss']:.2f} to {last['valid_loss']:.2f} while the training loss fell; "
            f"they are {gap:.2f} apart."
        )
    return f"Validation loss was lowest at epoch {int(lowest['epoch'])} ({lowest['valid_loss']:.2f})."


def scores_words(metrics: pd.DataFrame, best_epoch: int | None) -> str:
    """The scores of the epoch that was kept, and what accuracy hides."""
    row = metrics[metrics["epoch"] == best_epoch]
    named = {name: float(row[column].iloc[0]) for column, name in _SCORES.items() if column in metrics and len(row)}
    known = {name: value for name, value in named.items() if value == value and name != "training accuracy"}
    if not known:
        return ""
    words = ", ".join(f"{name} {percent(value)}" for name, value in known.items())
    return f"Epoch {best_epoch}, the best: {words}."


def _lines(metrics: pd.DataFrame, names: dict[str, str], sentence: str) -> go.Figure:
    figure = go.Figure()
    for column, name in names.items():
        if column not in metrics or metrics[column].isna().all():
            continue
        colour, dash = _LINES[column]
        figure.add_trace(
            go.Scatter(
                name=name,
                x=metrics["epoch"],
                y=metrics[column],
                mode="lines+markers" if len(metrics) < 30 else "lines",
                line={"color": colour, "width": 2, "dash": dash},
                marker={"size": 5 if len(metrics) > 1 else 9, "color": colour},
                hoverinfo="text",
                hovertext=[
                    hover(f"After epoch {epoch}, {sentence.format(name=name, value=value)}")
                    for epoch, value in zip(metrics["epoch"], metrics[column], strict=True)
                ],
            )
        )
    figure.update_xaxes(title_text="epoch", title_standoff=8, tickformat="d", nticks=10, zeroline=False)
    return figure


def _mark_epoch(figure: go.Figure, metrics: pd.DataFrame, best_epoch: int | None) -> None:
    first, last = int(metrics["epoch"].min()), int(metrics["epoch"].max())
    margin = max(0.5, (last - first) * 0.02)
    figure.update_xaxes(range=[first - margin, last + margin])
    if last - first < 10:
        figure.update_xaxes(dtick=1)
    if best_epoch is None:
        return
    late = best_epoch - first > (last - first) / 2
    figure.add_vline(
        x=best_epoch,
        line={"width": 1, "dash": "dot", "color": SERIES[1]},
        annotation={
            "text": f" best: epoch {best_epoch} ",
            "font": {"size": 11},
            "xanchor": "right" if late else "left",
            "yanchor": "bottom",
            "y": 0,
        },
    )
