"""Learning curves: loss and scores by epoch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.metrics import METRIC_TITLES
from fer_core.text import lowercase_first
from fer_core.training.diagnostics import detect_divergence, detect_overfitting
from fer_ui.charts.layout import SHARE_AXIS, apply_layout, empty_figure
from fer_ui.charts.training.epoch_lines import (
    NO_EPOCHS,
    epoch_axis,
    epoch_line,
    known_columns,
    legend_line,
    mark_best,
    shade_since,
    split_line,
)
from fer_ui.formatting import format_percent
from fer_ui.theme import SERIES

LOSS_TITLE = "Learning curves: loss"
SCORES_TITLE = "Learning curves: scores"
_HEIGHT_PX = 270

_LOSSES = {"train_loss": ("training", SERIES[1], "dash"), "valid_loss": ("validation", SERIES[0], "solid")}
_SCORES = {"accuracy": SERIES[0], "balanced_accuracy": SERIES[2], "macro_f1": SERIES[3]}


class LearningCurves(NamedTuple):
    """The learning curves of a run."""

    loss: go.Figure
    scores: go.Figure


def learning_curves(metrics: pd.DataFrame, best_epoch: int | None = None) -> LearningCurves:
    """Plot loss and scores of a run, validation solid and training dashed.

    Args:
        metrics: one row for each epoch; columns `epoch`, `train_loss`, `valid_loss`, and `train_` and `valid_` with
            accuracy, macro_f1 and balanced_accuracy (0..1). Missing columns are skipped.
        best_epoch: by default that of `find_best_epoch`.
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
    if gap := detect_overfitting(ordered):
        shade_since(curves.loss, ordered, gap.since_epoch, f"overfitting since epoch {gap.since_epoch}")
    apply_layout(curves.loss, title=LOSS_TITLE, subtitle=describe_loss(ordered), height_px=_HEIGHT_PX)
    apply_layout(curves.scores, title=SCORES_TITLE, subtitle=describe_scores(ordered, best), height_px=_HEIGHT_PX)
    return curves


def find_best_epoch(metrics: pd.DataFrame) -> int | None:
    """Find the epoch with the highest macro-F1, or else accuracy, or else the lowest validation loss."""
    for column, sign in (("valid_macro_f1", 1), ("valid_accuracy", 1), ("valid_loss", -1)):
        if known_columns(metrics, column):
            return int(metrics["epoch"].iloc[int(np.nanargmax(sign * metrics[column].to_numpy(float)))])
    return None


def describe_loss(metrics: pd.DataFrame) -> str:
    """Describe the losses: diverged, overfitting, still improving, or where validation loss was lowest."""
    if metrics.empty or "epoch" not in metrics:
        return ""
    if diverged := detect_divergence(metrics):
        return diverged.text
    if gap := detect_overfitting(metrics):
        return gap.summary
    if not known_columns(metrics, "valid_loss"):
        return ""
    known = metrics[metrics["valid_loss"].notna()].sort_values("epoch")
    lowest, last = known.iloc[int(known["valid_loss"].argmin())], known.iloc[-1]
    if len(known) == 1:
        return f"Validation loss after one epoch: {last['valid_loss']:.2f}."
    if lowest["epoch"] == last["epoch"]:
        return f"Validation loss is lowest in the last epoch ({last['valid_loss']:.2f}): still improving."
    return f"Validation loss is lowest at epoch {int(lowest['epoch'])} ({lowest['valid_loss']:.2f})."


def describe_scores(metrics: pd.DataFrame, best_epoch: int | None) -> str:
    """Describe the validation scores of the best epoch, with the training scores where known."""
    row = metrics[metrics["epoch"] == best_epoch]
    if row.empty:
        return ""
    scores = []
    for score in _SCORES:
        if known_columns(row, f"valid_{score}"):
            text = f"{lowercase_first(METRIC_TITLES[score])} {format_percent(float(row[f'valid_{score}'].iloc[0]))}"
            if known_columns(row, f"train_{score}"):
                text += f" (training {format_percent(float(row[f'train_{score}'].iloc[0]))})"
            scores.append(text)
    return f"Best epoch {best_epoch}: {', '.join(scores)}." if scores else ""


def _loss(metrics: pd.DataFrame) -> go.Figure:
    figure = go.Figure()
    for column in known_columns(metrics, *_LOSSES):
        name, color, dash = _LOSSES[column]
        figure.add_trace(epoch_line(metrics, column, ".3f", name=name, line={"color": color, "dash": dash}))
    return figure.update_yaxes(rangemode="tozero", nticks=6)


def _scores(metrics: pd.DataFrame) -> go.Figure:
    """Plot validation solid, and training dashed in the same color without a legend entry of its own."""
    figure = go.Figure()
    has_training = False
    for score, color in _SCORES.items():
        name = lowercase_first(METRIC_TITLES[score])
        for column in known_columns(metrics, f"train_{score}", f"valid_{score}"):
            dashed = column.startswith("train")
            has_training |= dashed
            label = f"{name}, training" if dashed else name
            line = split_line(color, dashed=dashed)
            figure.add_trace(epoch_line(metrics, column, ".1%", name=label, line=line, showlegend=not dashed))
    if has_training:
        figure.add_trace(legend_line("training", "dash"))
    return figure.update_yaxes(**SHARE_AXIS, nticks=6)
