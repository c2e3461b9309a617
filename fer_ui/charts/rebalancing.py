"""The effects of rebalancing on an epoch: samples, shares of the loss, and logit adjustment."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_ui.charts.layout import empty_figure
from fer_ui.charts.paired_bars import BarSeries, paired_bars, share_series
from fer_ui.formatting import (
    format_compact_count,
    format_count,
    format_images,
    format_percent,
    format_ratio,
    format_times,
)
from fer_ui.theme import expression_title

SAMPLES_TITLE = "Samples per epoch"
LOSS_TITLE = "Share of the loss by class"
OFFSET_TITLE = "Logit adjustment by class"
_NO_LABELS = "No training image has a label."
_SAME_01 = 1e-9


def sample_bars(table: pd.DataFrame) -> go.Figure:
    """Plot how many images each class has, and how many samples of it an epoch has.

    Args:
        table: `TrainingSplit.epoch_table` of a rebalancing, or `rebalancing.preview_epoch`.
    """
    if not table["images"].sum():
        return empty_figure(SAMPLES_TITLE, _NO_LABELS)
    expressions = [Expression(name) for name in table["expression"]]
    rows = table.to_dict("records")
    images_series = BarSeries(
        "images",
        [row["images"] for row in rows],
        [format_compact_count(row["images"], 6) for row in rows],
        [f"{format_images(row['images'])} labeled {row['expression']}" for row in rows],
    )
    samples_series = BarSeries(
        "samples per epoch",
        [row["samples"] for row in rows],
        [f"{format_compact_count(row['samples'], 6)}{_describe_repeats(row['repeats'])}" for row in rows],
        [_samples_text(row) for row in rows],
    )
    subtitle = describe_samples(table)
    bars = [images_series, samples_series]
    return paired_bars(expressions, bars, title=SAMPLES_TITLE, subtitle=subtitle, axis_title="images")


def describe_samples(table: pd.DataFrame) -> str:
    """Describe how sampling changes the ratio of the largest class to the smallest."""
    present = table[table["images"] > 0]
    before, after = imbalance_ratio(present["images"]), imbalance_ratio(present["samples"])
    if len(present) == 1:
        return f"There is only one class: {present['expression'].iloc[0]}."
    if (present["samples"] == present["images"]).all():
        return f"Each image is seen once: the imbalance ratio stays {format_ratio(before)}."
    if after < 1.005:
        ratios = f"from {format_ratio(before)} to {format_ratio(1)}"
        return f"All classes are seen equally often: the imbalance ratio falls {ratios}."
    return f"The imbalance ratio changes from {format_ratio(before)} to {format_ratio(after)}."


def imbalance_ratio(sizes: pd.Series) -> float:
    """Compute the size of the largest class divided by that of the smallest."""
    return float(sizes.max() / max(sizes.min(), 1))


def loss_bars(table: pd.DataFrame, before: pd.DataFrame) -> go.Figure:
    """Plot each class's share of the loss without and with rebalancing.

    Args:
        table: `TrainingSplit.epoch_table` of the rebalancing.
        before: the same without rebalancing.
    """
    if not table["effective_share"].sum():
        return empty_figure(LOSS_TITLE, _NO_LABELS)
    expressions = [Expression(name) for name in table["expression"]]
    first = share_series(
        "without rebalancing", expressions, before["effective_share"].tolist(), "the loss without rebalancing"
    )
    then = share_series("with rebalancing", expressions, table["effective_share"].tolist(), "the loss with rebalancing")
    if (table["weight"] - 1).abs().max() > _SAME_01:
        texts = [f"{text} · weight {weight:.2f}" for text, weight in zip(then.texts, table["weight"], strict=True)]
        then = then._replace(texts=texts)
    subtitle = describe_loss_shares(table, before)
    figure = paired_bars(
        expressions, [first, then], title=LOSS_TITLE, subtitle=subtitle, axis_title="share of the loss"
    )
    return figure.update_xaxes(ticksuffix=" %")


def describe_loss_shares(table: pd.DataFrame, before: pd.DataFrame) -> str:
    """Describe how the smallest class's share of the loss changes."""
    smallest = int(table["images"].where(table["images"] > 0).argmin())
    name = table["expression"].iloc[smallest]
    first, then = float(before["effective_share"].iloc[smallest]), float(table["effective_share"].iloc[smallest])
    if abs(then - first) < _SAME_01:
        return f"The smallest class, {name}, keeps {format_percent(first)} of the loss."
    return f"The smallest class, {name}, has {format_percent(then)} of the loss instead of {format_percent(first)}."


def offset_bars(table: pd.DataFrame) -> go.Figure:
    """Plot what the logit-adjusted loss subtracts from each class's logit."""
    if not table["offset"].any():
        return empty_figure(OFFSET_TITLE, "The logits are not adjusted.")
    expressions = [Expression(name) for name in table["expression"]]
    subtracted = (-table["offset"]).tolist()
    bars = BarSeries(
        "subtracted in training",
        subtracted,
        [f"{value:.2f}" for value in subtracted],
        [
            f"{expression_title(e)}: {value:.2f} is subtracted from the logit in training"
            for e, value in zip(expressions, subtracted, strict=True)
        ],
    )
    subtitle = describe_offsets(table)
    return paired_bars(
        expressions, [bars], title=OFFSET_TITLE, subtitle=subtitle, axis_title="subtracted from the logit"
    )


def describe_offsets(table: pd.DataFrame) -> str:
    """Describe the largest difference between two classes, and its effect."""
    most, least = table.iloc[int(table["offset"].argmin())], table.iloc[int(table["offset"].argmax())]
    return (
        f"Training lowers the logit of {most['expression']} by {least['offset'] - most['offset']:.1f} more than that "
        f"of {least['expression']}. Prediction does not, so rare expressions are predicted more often."
    )


def _describe_repeats(repeats: float) -> str:
    """Format which share of a class an epoch sees, or how often it sees each image; "" for once."""
    if repeats in (0, 1):
        return ""
    if repeats < 1:
        return f" · {format_percent(repeats)}"
    return f" · {repeats:.1f}×" if repeats < 9.95 else f" · {format_count(round(repeats))}×"


def _samples_text(row: Mapping[Hashable, Any]) -> str:
    if not row["images"]:
        return f"There are no images of {row['expression']}"
    text = f"{format_count(row['samples'])} samples of {row['expression']} per epoch"
    if row["never_seen"]:
        return f"{text}; {format_count(row['never_seen'])} images are not seen"
    return f"{text}, each image {format_times(row['repeats']) if row['repeats'] > 1 else 'once'}"
