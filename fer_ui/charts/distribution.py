"""How many images a dataset has of each expression, by split."""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.charts.layout import (
    BAR_GAP_PX,
    BAR_PX,
    LEGEND_PX,
    apply_layout,
    empty_figure,
    expression_marker,
    style_class_bars,
    text_trace,
)
from fer_ui.formatting import (
    format_compact_count,
    format_count,
    format_images,
    format_percent,
    format_times,
)
from fer_ui.image_labels import split_title
from fer_ui.theme import expression_title

TITLE = "Class distribution"
_PATTERNS = ("", "/", ".", "x", "-", "|")
"""Splits differ by hatching, as color stands for the expression."""

_TRANSPARENT = "rgba(0, 0, 0, 0)"
_LOG_FLOOR = 0.7
"""Start of a logarithmic axis, so that a single image still has a bar."""


class SplitCounts(NamedTuple):
    """One split's count of each class shown, in the fixed order."""

    split: str
    counts: tuple[int, ...]

    @property
    def shares_01(self) -> tuple[float, ...]:
        """Each class's share of the split; zeros for an empty split."""
        total = sum(self.counts)
        return tuple(number / total if total else 0.0 for number in self.counts)


def class_distribution(
    counts: pd.DataFrame, *, share: bool = False, log: bool = False, stacked: bool = False
) -> go.Figure:
    """Plot the counts of each class, one bar for each split. A bar's `customdata` is its expression and split.

    Args:
        counts: columns `expression` (an Expression's value), `split` (empty when there is only one), `count`.
        share: plot shares of the split, or of all images where bars are stacked.
        log: use a logarithmic axis, which shows rare classes; ignored for shares and stacked bars.
        stacked: stack the splits of a class into one bar.
    """
    classes, splits = split_counts(counts)
    if not classes:
        return empty_figure(TITLE, "There are no counts to show.")
    log = log and not share and not stacked
    all_splits = SplitCounts("", tuple(map(sum, zip(*(split.counts for split in splits), strict=True))))
    figure = go.Figure()
    for number, split in enumerate(splits):
        bars = _bars(classes, split, _PATTERNS[number % len(_PATTERNS)])
        bars.x = _lengths(split, sum((all_splits if stacked else split).counts), share=share, log=log)
        if not stacked:
            bars.update(text=_bar_labels(split), textposition="outside", textangle=0, cliponaxis=False)
        figure.add_trace(bars)
    rows = [all_splits] if stacked else list(splits)
    ends = [_lengths(row, sum(row.counts), share=share, log=log) for row in rows]
    longest = max(map(max, ends))
    _scale_axis(figure, longest, log=log)
    if stacked:
        names = [expression_title(expression) for expression in classes]
        figure.add_trace(text_trace(ends[0], names, _bar_labels(all_splits)))
        figure.add_trace(_rest_of_row(classes, all_splits, [longest - end for end in ends[0]]))
    figure.update_layout(
        barmode="stack" if stacked else "group",
        bargap=BAR_GAP_PX / (BAR_GAP_PX + BAR_PX * len(rows)),
        showlegend=len(splits) > 1,
    )
    figure.update_xaxes(title_text=_axis_title(sum(all_splits.counts), splits, share=share, log=log, stacked=stacked))
    if share:
        figure.update_xaxes(ticksuffix=" %")
    rows_px = len(classes) * (BAR_GAP_PX + BAR_PX * len(rows)) + LEGEND_PX * (len(splits) > 1)
    return apply_layout(figure, title=TITLE, subtitle=describe_imbalance(counts), height_px=rows_px + 84)


def split_counts(counts: pd.DataFrame) -> tuple[tuple[Expression, ...], tuple[SplitCounts, ...]]:
    """Sum a table by class (in the fixed order, those that occur) and by split (in the order of the table)."""
    summed = counts.groupby(["expression", "split"], sort=False)["count"].sum()
    found = set(counts["expression"])
    classes = tuple(expression for expression in Expression if expression.value in found)
    return classes, tuple(
        SplitCounts(split, tuple(int(summed.get((expression.value, split), 0)) for expression in classes))
        for split in dict.fromkeys(counts["split"])
    )


def describe_imbalance(counts: pd.DataFrame) -> str:
    """Describe the imbalance of all splits together."""
    classes, splits = split_counts(counts)
    totals = {expression: sum(split.counts[i] for split in splits) for i, expression in enumerate(classes)}
    present = {expression: number for expression, number in totals.items() if number}
    absent = [expression.value for expression in classes if not totals[expression]]
    if not present:
        return "No image has a label yet."
    most, least = max(present, key=present.__getitem__), min(present, key=present.__getitem__)
    ratio = present[most] / present[least]
    if len(present) == 1:
        text = f"All {format_count(present[most])} labeled images are {most.value}."
    elif ratio < 1.2:
        text = "The classes are balanced."
    else:
        text = f"{expression_title(most)} is {format_times(ratio)} as common as {least.value}."
    return f"{text} No images of {join_words(absent, 'or')}." if absent else text


def _lengths(split: SplitCounts, total: int, *, share: bool, log: bool) -> list[float]:
    if share:
        return [100 * number / total if total else 0.0 for number in split.counts]
    return [max(number, _LOG_FLOOR) if log else number for number in split.counts]


def _bar_labels(split: SplitCounts) -> list[str]:
    pairs = zip(split.counts, split.shares_01, strict=True)
    return [f"{format_compact_count(number, 6)} · {format_percent(share)}" for number, share in pairs]


def _rest_of_row(classes: tuple[Expression, ...], row: SplitCounts, lengths: list[float]) -> go.Bar:
    """Build transparent bars behind the stacked ones, which stand for the class of all splits."""
    return _bars(classes, row, "").update(x=lengths, marker={"color": _TRANSPARENT, "line_width": 0}, showlegend=False)


def _bars(classes: tuple[Expression, ...], split: SplitCounts, pattern: str) -> go.Bar:
    return go.Bar(
        name=split_title(split.split) if split.split else "images",
        orientation="h",
        y=[expression_title(expression) for expression in classes],
        customdata=[[expression.value, split.split] for expression in classes],
        hovertext=[_hover_text(*pair, split) for pair in zip(classes, split.counts, strict=True)],
        marker=expression_marker(classes, pattern),
    )


def _hover_text(expression: Expression, number: int, split: SplitCounts) -> str:
    total = sum(split.counts)
    where = f"{split_title(split.split)}: " if split.split else ""
    share = f" ({format_percent(number / total)})" if total else ""
    return f"{where}{format_count(number)} of {format_images(total)} labeled {expression.value}{share}"


def _scale_axis(figure: go.Figure, longest: float, *, log: bool) -> None:
    """Scale the axis to the longest bar."""
    style_class_bars(figure, longest or 1, dtick=1 if longest < 5 else None)
    if log:
        ends = [math.log10(_LOG_FLOOR), math.log10(max(longest, 1))]
        figure.update_xaxes(type="log", tickformat="~s", range=ends, dtick=1)


def _axis_title(total: int, splits: tuple[SplitCounts, ...], *, share: bool, log: bool, stacked: bool) -> str:
    if share:
        whole = "all images" if stacked or len(splits) < 2 else "the split"
        return f"share of {whole} ({format_images(total)})"
    return f"{format_images(total)}, logarithmic" if log else format_images(total)
