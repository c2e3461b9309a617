"""What a remedy for imbalance does to an epoch: the images drawn, the share of the loss, and the outputs adjusted."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_ui.charts.layout import empty_figure
from fer_ui.charts.paired_bars import Bars, paired_bars
from fer_ui.formatting import compact_count, count, hover, images, percent, times
from fer_ui.theme import expression_title

SAMPLES_TITLE = "Images drawn in an epoch"
LOSS_TITLE = "Share of the loss"
OFFSET_TITLE = "What the loss takes off each output in training"
_NOTHING = "No training image has a label."
_SAME_01 = 1e-9


def sample_bars(table: pd.DataFrame) -> go.Figure:
    """Draw how many images there are of each class, and how many an epoch draws.

    Args:
        table: `TrainingSplit.under` a remedy, or `rebalance.preview`.
    """
    if not table["images"].sum():
        return empty_figure(SAMPLES_TITLE, _NOTHING)
    expressions = [Expression(name) for name in table["expression"]]
    rows = table.to_dict("records")
    there = Bars(
        "there are",
        [row["images"] for row in rows],
        [compact_count(row["images"], 6) for row in rows],
        [hover(f"There are {images(row['images'])} of {row['expression']}") for row in rows],
    )
    drawn = Bars(
        "an epoch draws",
        [row["samples"] for row in rows],
        [f"{compact_count(row['samples'], 6)}{_each(row['repeats'])}" for row in rows],
        [_drawn_words(row) for row in rows],
    )
    return paired_bars(
        expressions, [there, drawn], title=SAMPLES_TITLE, subtitle=describe_samples(table), axis_title="images"
    )


def describe_samples(table: pd.DataFrame) -> str:
    """What the sampling makes of the ratio between the commonest and the rarest class."""
    present = table[table["images"] > 0]
    before, after = imbalance_ratio(present["images"]), imbalance_ratio(present["samples"])
    if len(present) == 1:
        return f"There is one class only: {present['expression'].iloc[0]}."
    if (present["samples"] == present["images"]).all():
        return f"Every image once: the commonest expression stays {times(before)} as common as the rarest."
    if after < 1.005:
        return f"Every expression equally often, instead of the commonest {times(before)} as often as the rarest."
    return f"The commonest expression {times(after)} as often as the rarest, instead of {times(before)}."


def imbalance_ratio(sizes: pd.Series) -> float:
    """How many times the largest class is as large as the smallest."""
    return float(sizes.max() / max(sizes.min(), 1))


def loss_bars(table: pd.DataFrame, before: pd.DataFrame) -> go.Figure:
    """Draw each class's share of the loss with a remedy, against what it has without one.

    Args:
        table: `TrainingSplit.under` the remedy.
        before: the same under no remedy.
    """
    if not table["effective_share"].sum():
        return empty_figure(LOSS_TITLE, _NOTHING)
    expressions = [Expression(name) for name in table["expression"]]
    weighed = (table["weight"] - 1).abs().max() > _SAME_01
    rows = table.to_dict("records")
    shares = before["effective_share"].tolist()
    first = Bars(
        "without a remedy",
        [100 * share for share in shares],
        [percent(share) for share in shares],
        [
            hover(f"Without a remedy {percent(share)} of the loss is about {expression.value}")
            for expression, share in zip(expressions, shares, strict=True)
        ],
    )
    then = Bars(
        "with it",
        [100 * row["effective_share"] for row in rows],
        [percent(row["effective_share"]) + (f" · weight {row['weight']:.2f}" if weighed else "") for row in rows],
        [hover(f"With it {percent(row['effective_share'])} of the loss is about {row['expression']}") for row in rows],
    )
    subtitle = describe_loss_shares(table, before)
    figure = paired_bars(
        expressions, [first, then], title=LOSS_TITLE, subtitle=subtitle, axis_title="share of the loss"
    )
    return figure.update_xaxes(ticksuffix=" %")


def describe_loss_shares(table: pd.DataFrame, before: pd.DataFrame) -> str:
    """How the part of the loss that is about the rarest class changes."""
    rarest = int(table["images"].where(table["images"] > 0).argmin())
    name = expression_title(Expression(table["expression"].iloc[rarest]))
    first, then = float(before["effective_share"].iloc[rarest]), float(table["effective_share"].iloc[rarest])
    if abs(then - first) < _SAME_01:
        return f"{name}, the rarest expression, keeps its {percent(first)} of the loss."
    return f"{name}, the rarest expression, has {percent(then)} of the loss instead of {percent(first)}."


def offset_bars(table: pd.DataFrame) -> go.Figure:
    """Draw what the logit-adjusted loss takes off each class's output."""
    if not table["offset"].any():
        return empty_figure(OFFSET_TITLE, "Without logit adjustment the outputs stay as they are.")
    expressions = [Expression(name) for name in table["expression"]]
    taken = (-table["offset"]).tolist()
    bars = Bars(
        "taken off",
        taken,
        [f"{value:.2f}" for value in taken],
        [
            hover(f"In training {value:.2f} is taken off the output of {e.value}")
            for e, value in zip(expressions, taken, strict=True)
        ],
    )
    return paired_bars(
        expressions, [bars], title=OFFSET_TITLE, subtitle=describe_offsets(table), axis_title="taken off the output"
    )


def describe_offsets(table: pd.DataFrame) -> str:
    """How much further the rarest class's output must rise, and what that does."""
    most, least = table.iloc[int(table["offset"].argmin())], table.iloc[int(table["offset"].argmax())]
    return (
        f"In training the output of {most['expression']} must rise {least['offset'] - most['offset']:.1f} higher than "
        f"that of {least['expression']} to count the same. Prediction leaves this out, so the rare expressions are "
        "answered more often."
    )


def _each(repeats: float) -> str:
    """What part of a class an epoch sees, or how often it sees an image of it; nothing where each is seen once."""
    if repeats in (0, 1):
        return ""
    if repeats < 1:
        return f" · {percent(repeats)}"
    return f" · {repeats:.1f}×" if repeats < 9.95 else f" · {count(round(repeats))}×"


def _drawn_words(row: Mapping[Hashable, Any]) -> str:
    if not row["images"]:
        return hover(f"There is no image of {row['expression']} to draw")
    words = f"An epoch draws {images(row['samples'])} of {row['expression']}"
    if row["never_seen"]:
        return hover(f"{words}; {count(row['never_seen'])} are not seen in it")
    return hover(f"{words}, each {times(row['repeats'])}" if row["repeats"] > 1 else f"{words}, each once")
