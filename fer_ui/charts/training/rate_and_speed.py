"""What goes along with a training, epoch by epoch: learning rate, valence and arousal, speed."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from fer_core.training.diagnostics import EpochTime
from fer_ui.charts.layout import LEGEND_PX, apply_layout, empty_figure
from fer_ui.charts.training.epoch_lines import NO_EPOCHS, epoch_axis, epoch_line, known_columns, mark_best
from fer_ui.formatting import count, hover, percent
from fer_ui.theme import SERIES

RATE_TITLE = "Learning rate by epoch"
AFFECT_TITLE = "Agreement on valence and arousal by epoch"
SPEED_TITLE = "Training images a second by epoch"
TIME_TITLE = "Where the time of the last epoch went"
_HEIGHT_PX = 230
_BAR_PX = 84
_AFFECT = {"valid_ccc_valence": ("valence", SERIES[0]), "valid_ccc_arousal": ("arousal", SERIES[2])}
_SLOWER_01 = 0.1
"""An epoch slower than usual by less than this is nothing to tell."""


def learning_rate_curve(metrics: pd.DataFrame, best_epoch: int | None) -> go.Figure:
    """Draw the learning rate at the end of each epoch (column `learning_rate`)."""
    figure = _figure(metrics, {"learning_rate": ("learning rate", SERIES[0])}, "is {value:.3g}", best_epoch)
    figure.update_yaxes(rangemode="tozero", nticks=4, tickformat="~g", exponentformat="e")
    return apply_layout(figure, title=RATE_TITLE, subtitle=describe_learning_rate(metrics), height_px=_HEIGHT_PX)


def describe_learning_rate(metrics: pd.DataFrame) -> str:
    """Where the learning rate was highest, and where it is now."""
    if not known_columns(metrics, "learning_rate"):
        return ""
    known = metrics[metrics["learning_rate"].notna()].sort_values("epoch")
    highest, last = known.iloc[int(known["learning_rate"].argmax())], known.iloc[-1]
    if len(known) == 1:
        return f"The first epoch ended with {last['learning_rate']:.3g}."
    if known["learning_rate"].nunique() == 1:
        return f"It stays {last['learning_rate']:.3g}."
    if highest["epoch"] == last["epoch"]:
        return f"It still rises, to {last['learning_rate']:.3g} now."
    return (
        f"It was highest at epoch {int(highest['epoch'])} ({highest['learning_rate']:.3g}); "
        f"epoch {int(last['epoch'])} ended with {last['learning_rate']:.3g}."
    )


def has_concordance(metrics: pd.DataFrame) -> bool:
    """Whether a run reads valence and arousal too."""
    return bool(known_columns(metrics, *_AFFECT))


def concordance_curves(metrics: pd.DataFrame, best_epoch: int | None) -> go.Figure:
    """Draw the concordance of valence and of arousal (columns `valid_ccc_…`, -1..1)."""
    figure = _figure(metrics, _AFFECT, "on the validation images is {value:.2f}", best_epoch)
    figure.update_yaxes(nticks=6)
    figure.update_layout(showlegend=True)
    subtitle = describe_concordance(metrics, best_epoch)
    return apply_layout(figure, title=AFFECT_TITLE, subtitle=subtitle, height_px=_HEIGHT_PX + LEGEND_PX + 30)


def describe_concordance(metrics: pd.DataFrame, best_epoch: int | None) -> str:
    """How well both are read in the epoch that was kept."""
    row = metrics[metrics["epoch"] == best_epoch] if "epoch" in metrics else metrics
    said = [f"{_AFFECT[name][0]} {row[name].iloc[0]:.2f}" for name in known_columns(row, *_AFFECT)]
    if not said:
        return ""
    return f"Epoch {best_epoch}, the best: {', '.join(said)}. Concordance is 1 where all agree, 0 by chance."


def throughput_curve(metrics: pd.DataFrame) -> go.Figure:
    """Draw how many training images were learned from in a second (column `images_per_s`)."""
    figure = _figure(metrics, {"images_per_s": ("images a second", SERIES[0])}, "were {value:,.0f}", None)
    figure.update_yaxes(rangemode="tozero", nticks=5, tickformat=",.3~r")
    return apply_layout(figure, title=SPEED_TITLE, subtitle=describe_throughput(metrics), height_px=_HEIGHT_PX)


def describe_throughput(metrics: pd.DataFrame) -> str:
    """The usual speed, and the slowest epoch where it was much slower."""
    if not known_columns(metrics, "images_per_s"):
        return ""
    known = metrics[metrics["images_per_s"].notna()]
    usual = float(known["images_per_s"].median())
    if len(known) == 1:
        return f"{count(round(usual))} in the only epoch so far."
    slowest = known.iloc[int(known["images_per_s"].argmin())]
    words = f"{count(round(usual))} in the median"
    if slowest["images_per_s"] > usual * (1 - _SLOWER_01):
        return f"{words}, alike in all epochs."
    return f"{words}; epoch {int(slowest['epoch'])} was slowest with {count(round(slowest['images_per_s']))}."


def epoch_time_bar(time: EpochTime) -> go.Figure:
    """Draw what an epoch's time went to as one bar."""
    splits = {"images": time.data_s, "network": time.step_s, "judging": time.rest_s or 0.0}
    meanings = {
        "images": "waiting for images to be read and changed",
        "network": "computing the network's steps",
        "judging": "judging the epoch on the validation images",
    }
    total_s = sum(splits.values())
    figure = go.Figure()
    for place, (name, seconds) in enumerate(splits.items()):
        figure.add_trace(
            go.Bar(
                name=f"{name} {percent(seconds / total_s, 0)}",
                orientation="h",
                x=[seconds],
                y=[""],
                marker={"color": SERIES[place]},
                hoverinfo="text",
                hovertext=hover(f"{seconds:.1f} of {total_s:.1f} seconds went to {meanings[name]}"),
            )
        )
    figure.update_layout(barmode="stack", showlegend=True, legend_traceorder="normal")
    figure.update_xaxes(ticksuffix=" s", nticks=6, range=[0, total_s])
    figure.update_yaxes(showticklabels=False, ticks="")
    return apply_layout(figure, title=TIME_TITLE, subtitle=time.words, height_px=_BAR_PX + LEGEND_PX + 30)


def _figure(
    metrics: pd.DataFrame, lines: dict[str, tuple[str, str]], sentence: str, best_epoch: int | None
) -> go.Figure:
    if metrics.empty:
        return empty_figure("", NO_EPOCHS)
    ordered = metrics.sort_values("epoch")
    figure = go.Figure()
    for column in known_columns(ordered, *lines):
        name, color = lines[column]

        def words(value: float, name: str = name) -> str:
            return f"{name} {sentence.format(value=value)}"

        figure.add_trace(epoch_line(ordered, column, words, name=name, line={"color": color}))
    epoch_axis(figure, ordered)
    mark_best(figure, ordered, best_epoch)
    return figure.update_layout(showlegend=False)
