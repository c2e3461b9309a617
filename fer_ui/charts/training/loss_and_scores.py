"""How a training went, epoch by epoch: its losses and its scores."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.training.diagnostics import divergence, overfitting
from fer_ui.charts.layout import apply_layout, empty_figure
from fer_ui.charts.training.epoch_lines import (
    NO_EPOCHS,
    epoch_axis,
    epoch_line,
    known_columns,
    legend_line,
    mark_best,
    shade_since,
)
from fer_ui.formatting import percent
from fer_ui.theme import SERIES

LOSS_TITLE = "Loss by epoch"
SCORES_TITLE = "Scores by epoch"
_HEIGHT_PX = 350

_LOSSES = {"train_loss": ("training", SERIES[1], "dash"), "valid_loss": ("validation", SERIES[0], "solid")}
_SCORES = {
    "accuracy": ("accuracy", SERIES[0]),
    "balanced_accuracy": ("balanced accuracy", SERIES[2]),
    "macro_f1": ("macro-F1", SERIES[3]),
}


class LearningCurves(NamedTuple):
    """The two pictures of a training."""

    loss: go.Figure
    scores: go.Figure


def learning_curves(metrics: pd.DataFrame, best_epoch: int | None = None) -> LearningCurves:
    """Draw a training's figures, those on its own images dashed.

    Args:
        metrics: a row an epoch; columns `epoch` and any of train_loss and valid_loss, and accuracy, macro_f1 and
            balanced_accuracy after `train_` and `valid_` (0..1). A missing column is left out.
        best_epoch: the epoch that was kept; found with `find_best_epoch` when not given.
    """
    if metrics.empty:
        return LearningCurves(empty_figure(LOSS_TITLE, NO_EPOCHS), empty_figure(SCORES_TITLE, NO_EPOCHS))
    ordered = metrics.sort_values("epoch")
    best = find_best_epoch(ordered) if best_epoch is None else best_epoch
    curves = LearningCurves(_loss(ordered), _scores(ordered))
    for figure in curves:
        epoch_axis(figure, ordered)
        mark_best(figure, ordered, best)
        figure.update_layout(showlegend=True)
    if gap := overfitting(ordered):
        shade_since(curves.loss, ordered, gap.since_epoch, f"over-fitting since epoch {gap.since_epoch}")
    apply_layout(curves.loss, title=LOSS_TITLE, subtitle=describe_loss(ordered), height_px=_HEIGHT_PX)
    apply_layout(curves.scores, title=SCORES_TITLE, subtitle=describe_scores(ordered, best), height_px=_HEIGHT_PX)
    return curves


def find_best_epoch(metrics: pd.DataFrame) -> int | None:
    """The epoch with the highest macro-F1, or else accuracy, or else the lowest validation loss."""
    for column, sign in (("valid_macro_f1", 1), ("valid_accuracy", 1), ("valid_loss", -1)):
        if known_columns(metrics, column):
            return int(metrics["epoch"].iloc[int(np.nanargmax(sign * metrics[column].to_numpy(float)))])
    return None


def describe_loss(metrics: pd.DataFrame) -> str:
    """What the two losses say together: no number, over-fitting, still improving, or where it was lowest."""
    if metrics.empty or "epoch" not in metrics:
        return ""
    if lost := divergence(metrics):
        return lost.words
    if gap := overfitting(metrics):
        return gap.short
    if not known_columns(metrics, "valid_loss"):
        return ""
    known = metrics[metrics["valid_loss"].notna()].sort_values("epoch")
    lowest, last = known.iloc[int(known["valid_loss"].argmin())], known.iloc[-1]
    if len(known) == 1:
        return f"After one epoch the validation loss is {last['valid_loss']:.2f}."
    if lowest["epoch"] == last["epoch"]:
        return f"Validation loss was lowest in the last epoch ({last['valid_loss']:.2f}): it was still improving."
    return f"Validation loss was lowest at epoch {int(lowest['epoch'])} ({lowest['valid_loss']:.2f})."


def describe_scores(metrics: pd.DataFrame, best_epoch: int | None) -> str:
    """The scores of the epoch that was kept, each beside that on the training images where it is known."""
    row = metrics[metrics["epoch"] == best_epoch]
    if row.empty:
        return ""
    said = []
    for score, (name, _) in _SCORES.items():
        if known_columns(row, f"valid_{score}"):
            against = (
                f" (training {percent(float(row[f'train_{score}'].iloc[0]))})"
                if known_columns(row, f"train_{score}")
                else ""
            )
            said.append(f"{name} {percent(float(row[f'valid_{score}'].iloc[0]))}{against}")
    return f"Epoch {best_epoch}, the best: {', '.join(said)}." if said else ""


def _loss(metrics: pd.DataFrame) -> go.Figure:
    figure = go.Figure()
    for column in known_columns(metrics, *_LOSSES):
        name, color, dash = _LOSSES[column]

        def words(value: float, name: str = name) -> str:
            return f"loss of the {name} images is {value:.3f}"

        figure.add_trace(epoch_line(metrics, column, words, name=name, line={"color": color, "dash": dash}))
    return figure.update_yaxes(rangemode="tozero", nticks=6)


def _scores(metrics: pd.DataFrame) -> go.Figure:
    """Validation solid, training dashed in the same color and without a place of its own in the legend."""
    figure = go.Figure()
    trained = False
    for score, (name, color) in _SCORES.items():
        for column in known_columns(metrics, f"train_{score}", f"valid_{score}"):
            dashed = column.startswith("train")
            trained |= dashed
            on = "training" if dashed else "validation"

            def words(value: float, name: str = name, on: str = on) -> str:
                return f"{name} on the {on} images is {value:.1%}"

            line = {"color": color, "dash": "dash" if dashed else "solid", "width": 1.5 if dashed else 2.5}
            figure.add_trace(
                epoch_line(
                    metrics,
                    column,
                    words,
                    name=f"{name}, training" if dashed else name,
                    line=line,
                    showlegend=not dashed,
                )
            )
    if trained:
        figure.add_trace(legend_line("training", "dash"))
    return figure.update_yaxes(tickformat="~%", nticks=6)
