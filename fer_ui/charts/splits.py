"""The class distribution of each split, as shares of the split."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from fer_core.data.record import Split
from fer_core.labels import Expression
from fer_core.metrics import RANKED_IMAGES_MIN
from fer_core.text import join_words
from fer_ui.charts.distribution import SplitCounts, class_distribution
from fer_ui.charts.layout import empty_figure
from fer_ui.formatting import format_percent
from fer_ui.image_labels import describe_split, split_title
from fer_ui.theme import expression_title

TITLE = "Class distribution by split"

_ROW_PX = 52
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
    rows = [
        (str(expression), panel.split, number)
        for panel in panels
        for expression, number in zip(classes, panel.counts, strict=True)
    ]
    figure = class_distribution(pd.DataFrame(rows, columns=["expression", "split", "count"]), share=True)
    titles = {"title": TITLE, "subtitle": describe_split_shares(counts)}
    return figure.update_layout(meta=titles, height=_ROW_PX * len(classes) + 110)


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
