"""The class distribution of each split, one panel each, on one scale."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer_core.data.record import Split
from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.charts.distribution import SplitCounts
from fer_ui.charts.layout import RANKED_IMAGES_MIN, apply_layout, empty_figure, expression_marker, style_class_bars
from fer_ui.formatting import format_count, format_images, format_percent
from fer_ui.image_labels import describe_split, split_title
from fer_ui.theme import expression_title

TITLE = "Class distribution by split"

_ROW_PX = 30
_SAME_01 = 0.01
"""Shares less than one percentage point apart count as the same."""


def split_share_bars(counts: pd.DataFrame) -> go.Figure:
    """Plot the share of each expression in the training, validation and test split.

    A bar's `customdata` is its expression and split.

    Args:
        counts: one row for each split and one column for each expression, from `splits.report.SplitReport`.
    """
    classes, panels = split_class_shares(counts)
    if not classes:
        return empty_figure(TITLE, "No image in these splits has a label.")
    figure = make_subplots(rows=1, cols=len(panels), shared_yaxes=True, horizontal_spacing=0.04)
    for column, panel in enumerate(panels, start=1):
        figure.add_trace(_bars(classes, panel), row=1, col=column)
        # Below the panel: above it, on a phone, the chart's buttons cover it.
        figure.update_xaxes(title_text=f"{split_title(panel.split)}, %", row=1, col=column)
    longest = max(max(panel.shares_01) for panel in panels)
    style_class_bars(figure, 104 * longest, nticks=4)
    figure.update_layout(showlegend=False, bargap=0.3)
    return apply_layout(
        figure, title=TITLE, subtitle=describe_split_shares(counts), height_px=_ROW_PX * len(classes) + 84
    )


def split_class_shares(counts: pd.DataFrame) -> tuple[tuple[Expression, ...], tuple[SplitCounts, ...]]:
    """Compute the classes that occur, in the fixed order, and the shares of the splits with labeled images."""
    splits = counts.loc[[str(split) for split in Split], [str(expression) for expression in Expression]]
    classes = tuple(expression for expression in Expression if splits[str(expression)].any())
    panels = [SplitCounts(str(split), tuple(int(row[str(e)]) for e in classes)) for split, row in splits.iterrows()]
    return classes, tuple(panel for panel in panels if any(panel.counts))


def describe_split_shares(counts: pd.DataFrame) -> str:
    """Describe which class differs most between the splits, or which classes a split lacks."""
    classes, panels = split_class_shares(counts)
    if len(panels) < 2:
        return "Only one split has labeled images."
    lacking = [_describe_missing(classes, panel) for panel in panels if 0 in panel.counts]
    if lacking:
        return " ".join(lacking)
    spreads = [max(column) - min(column) for column in zip(*(panel.shares_01 for panel in panels), strict=True)]
    ranked = [i for i in range(len(classes)) if sum(panel.counts[i] for panel in panels) >= RANKED_IMAGES_MIN]
    if not ranked:
        return f"No expression has {RANKED_IMAGES_MIN} images, too few to compare."
    index = max(ranked, key=spreads.__getitem__)
    if spreads[index] < _SAME_01:
        return "All splits have about the same class distribution."
    most, least = (pick(panels, key=lambda panel: panel.shares_01[index]) for pick in (max, min))
    return (
        f"{expression_title(classes[index])} differs most: {format_percent(most.shares_01[index])} in "
        f"{describe_split(most.split)}, {format_percent(least.shares_01[index])} in {describe_split(least.split)}."
    )


def _describe_missing(classes: Sequence[Expression], panel: SplitCounts) -> str:
    absent = [expression.value for expression, number in zip(classes, panel.counts, strict=True) if not number]
    return f"{split_title(panel.split)} has no images of {join_words(absent, 'or')}."


def _bars(classes: Sequence[Expression], panel: SplitCounts) -> go.Bar:
    total = sum(panel.counts)
    return go.Bar(
        name=split_title(panel.split),
        orientation="h",
        y=[expression_title(expression) for expression in classes],
        x=[100 * share for share in panel.shares_01],
        customdata=[[expression.value, panel.split] for expression in classes],
        hovertext=[
            (
                f"{split_title(panel.split)}: {format_count(number)} of {format_images(total)} labeled "
                f"{expression.value} ({format_percent(share)})"
            )
            for expression, number, share in zip(classes, panel.counts, panel.shares_01, strict=True)
        ],
        marker=expression_marker(classes),
    )
