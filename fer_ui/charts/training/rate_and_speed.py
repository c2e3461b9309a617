"""Learning rate, concordance of valence and arousal, and throughput by epoch."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from fer_core.training.diagnostics import EpochTime
from fer_ui.charts.layout import LEGEND_PX, apply_layout, empty_figure
from fer_ui.charts.training.epoch_lines import NO_EPOCHS, epoch_axis, epoch_line, known_columns, mark_best
from fer_ui.formatting import format_count, format_percent
from fer_ui.theme import SERIES

RATE_TITLE = "Learning rate"
CONCORDANCE_TITLE = "Valence and arousal: concordance (CCC)"
THROUGHPUT_TITLE = "Throughput: training images per second"
TIME_TITLE = "Time of the last epoch"
_HEIGHT_PX = 230
_BAR_PX = 84
_AFFECT = {"valid_ccc_valence": ("valence", SERIES[0]), "valid_ccc_arousal": ("arousal", SERIES[2])}
_SLOWER_01 = 0.1
"""An epoch that is slower than the median by less than this is not mentioned."""


def learning_rate_curve(metrics: pd.DataFrame, best_epoch: int | None) -> go.Figure:
    """Plot the learning rate at the end of each epoch (column `learning_rate`)."""
    figure = _figure(metrics, {"learning_rate": ("learning rate", SERIES[0])}, ".3g", best_epoch)
    figure.update_yaxes(rangemode="tozero", nticks=4, tickformat="~g", exponentformat="e")
    return apply_layout(figure, title=RATE_TITLE, subtitle=describe_learning_rate(metrics), height_px=_HEIGHT_PX)


def describe_learning_rate(metrics: pd.DataFrame) -> str:
    """Describe the highest and the latest learning rate."""
    if not known_columns(metrics, "learning_rate"):
        return ""
    known = metrics[metrics["learning_rate"].notna()].sort_values("epoch")
    highest, last = known.iloc[int(known["learning_rate"].argmax())], known.iloc[-1]
    if len(known) == 1:
        return f"{last['learning_rate']:.3g} after the first epoch."
    if known["learning_rate"].nunique() == 1:
        return f"Constant at {last['learning_rate']:.3g}."
    if highest["epoch"] == last["epoch"]:
        return f"Still rising, now {last['learning_rate']:.3g}."
    return (
        f"Highest after epoch {int(highest['epoch'])} ({highest['learning_rate']:.3g}), "
        f"{last['learning_rate']:.3g} after epoch {int(last['epoch'])}."
    )


def has_concordance(metrics: pd.DataFrame) -> bool:
    """Whether a run predicts valence and arousal."""
    return bool(known_columns(metrics, *_AFFECT))


def concordance_curves(metrics: pd.DataFrame, best_epoch: int | None) -> go.Figure:
    """Plot the concordance correlation coefficient of valence and of arousal (columns `valid_ccc_…`, -1..1)."""
    figure = _figure(metrics, _AFFECT, ".2f", best_epoch)
    figure.update_yaxes(nticks=6)
    figure.update_layout(showlegend=True)
    subtitle = describe_concordance(metrics, best_epoch)
    return apply_layout(figure, title=CONCORDANCE_TITLE, subtitle=subtitle, height_px=_HEIGHT_PX + LEGEND_PX + 30)


def describe_concordance(metrics: pd.DataFrame, best_epoch: int | None) -> str:
    """Describe both coefficients of the best epoch."""
    row = metrics[metrics["epoch"] == best_epoch] if "epoch" in metrics else metrics
    values = [f"{_AFFECT[name][0]} {row[name].iloc[0]:.2f}" for name in known_columns(row, *_AFFECT)]
    if not values:
        return ""
    return f"Best epoch {best_epoch}: {', '.join(values)}. 1 is perfect concordance, 0 is chance."


def throughput_curve(metrics: pd.DataFrame) -> go.Figure:
    """Plot how many training images were processed per second (column `images_per_s`)."""
    figure = _figure(metrics, {"images_per_s": ("images per second", SERIES[0])}, ",.0f", None)
    figure.update_yaxes(rangemode="tozero", nticks=5, tickformat=",.3~r")
    return apply_layout(figure, title=THROUGHPUT_TITLE, subtitle=describe_throughput(metrics), height_px=_HEIGHT_PX)


def describe_throughput(metrics: pd.DataFrame) -> str:
    """Describe the median throughput, and the slowest epoch where it was much slower."""
    if not known_columns(metrics, "images_per_s"):
        return ""
    known = metrics[metrics["images_per_s"].notna()]
    median = float(known["images_per_s"].median())
    if len(known) == 1:
        return f"{format_count(round(median))} in the first epoch."
    slowest = known.iloc[int(known["images_per_s"].argmin())]
    text = f"Median {format_count(round(median))}"
    if slowest["images_per_s"] > median * (1 - _SLOWER_01):
        return f"{text}, similar in all epochs."
    return f"{text}; slowest in epoch {int(slowest['epoch'])} with {format_count(round(slowest['images_per_s']))}."


def epoch_time_bar(time: EpochTime) -> go.Figure:
    """Plot the phases of an epoch as one stacked bar."""
    phases = {"data loading": time.data_s, "training steps": time.step_s, "validation": time.other_s or 0.0}
    total_s = sum(phases.values())
    figure = go.Figure()
    for index, (name, seconds) in enumerate(phases.items()):
        figure.add_trace(
            go.Bar(
                name=f"{name} {format_percent(seconds / total_s, 0)}",
                orientation="h",
                x=[seconds],
                y=[""],
                marker={"color": SERIES[index]},
                hovertext=f"{name.capitalize()}: {seconds:.1f} of {total_s:.1f} seconds",
            )
        )
    figure.update_layout(barmode="stack", showlegend=True, legend_traceorder="normal")
    figure.update_xaxes(ticksuffix=" s", nticks=6, range=[0, total_s])
    figure.update_yaxes(showticklabels=False, ticks="")
    return apply_layout(figure, title=TIME_TITLE, subtitle=time.text, height_px=_BAR_PX + LEGEND_PX + 30)


def _figure(
    metrics: pd.DataFrame, lines: dict[str, tuple[str, str]], value_format: str, best_epoch: int | None
) -> go.Figure:
    if metrics.empty:
        return empty_figure("", NO_EPOCHS)
    ordered = metrics.sort_values("epoch")
    figure = go.Figure()
    for column in known_columns(ordered, *lines):
        name, color = lines[column]
        figure.add_trace(epoch_line(ordered, column, value_format, name=name, line={"color": color}))
    epoch_axis(figure, ordered)
    mark_best(figure, ordered, best_epoch)
    return figure.update_layout(showlegend=False)
