"""How many images a dataset has of each expression, by split."""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_ui.charts.layout import LEGEND_PX, apply_layout, empty_figure
from fer_ui.numbers import compact_count, count, hover, images, listed, percent, times
from fer_ui.theme import expression_colour, expression_outline, expression_title

TITLE = "Images by expression"
_PATTERNS = ("", "/", ".", "x", "-", "|")
"""A split is told from another by its hatching, as colour already says which expression it is."""

_BAR_PX = 20
_ROW_GAP_PX = 10
_LABEL_CHARACTER_PX = 6.4
_PHONE_PLOT_PX = 272
_LOG_FLOOR = 0.7
"""Where a logarithmic axis begins, so that a single image still has a bar."""


class SplitCounts(NamedTuple):
    """One split: the count of each class shown, in the fixed order."""

    split: str
    counts: tuple[int, ...]

    def shares_01(self) -> tuple[float, ...]:
        """Each class's share of the split; zeros for an empty split."""
        total = sum(self.counts)
        return tuple(number / total if total else 0.0 for number in self.counts)


def class_distribution(counts: pd.DataFrame, *, share: bool = False, log: bool = False) -> go.Figure:
    """Draw the counts of each class, a bar a split.

    Args:
        counts: columns `expression` (an Expression's value), `split` (empty when there is only one), `count`.
        share: bars are as long as the share within their split, so that splits of unlike size can be compared.
        log: a logarithmic axis, on which rare classes can be seen; shares have none.
    """
    classes, splits = split_counts(counts)
    if not classes:
        return empty_figure(TITLE, "There are no counts to show.")
    figure = go.Figure()
    for place, split in enumerate(splits):
        figure.add_trace(_bars(classes, split, _PATTERNS[place % len(_PATTERNS)], share=share, log=log))
    figure.update_layout(
        barmode="group", bargap=_ROW_GAP_PX / (_ROW_GAP_PX + _BAR_PX * len(splits)), showlegend=len(splits) > 1
    )
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False)
    _scale_axis(figure, splits, share=share, log=log)
    rows_px = len(classes) * (_ROW_GAP_PX + _BAR_PX * len(splits)) + LEGEND_PX * (len(splits) > 1)
    return apply_layout(figure, title=TITLE, subtitle=imbalance_words(counts), height_px=rows_px + 84, hover_rows=True)


def split_counts(counts: pd.DataFrame) -> tuple[tuple[Expression, ...], tuple[SplitCounts, ...]]:
    """The classes that occur in the table, in the fixed order, and their counts split by split (splits in the order of
    the table). What the table leaves out is zero; rows of the same class and split add up."""
    summed = counts.groupby(["expression", "split"], sort=False)["count"].sum()
    found = set(counts["expression"])
    classes = tuple(expression for expression in Expression if expression.value in found)
    return classes, tuple(
        SplitCounts(split, tuple(int(summed.get((expression.value, split), 0)) for expression in classes))
        for split in dict.fromkeys(counts["split"])
    )


def imbalance_words(counts: pd.DataFrame) -> str:
    """What the counts, all splits together, say about imbalance, in a sentence or two."""
    classes, splits = split_counts(counts)
    totals = {expression: sum(split.counts[place] for split in splits) for place, expression in enumerate(classes)}
    present = {expression: number for expression, number in totals.items() if number}
    absent = [expression.value for expression in classes if not totals[expression]]
    if not present:
        return "No image has a label yet."
    most, least = max(present, key=present.__getitem__), min(present, key=present.__getitem__)
    ratio = present[most] / present[least]
    if len(present) == 1:
        words = f"Every labelled image ({count(present[most])}) shows {most.value}."
    elif ratio < 1.2:
        words = "The expressions are about equally common."
    else:
        words = f"{expression_title(most)} is {times(ratio)} as common as {least.value}."
    return f"{words} No image is labelled {listed(absent, 'or')}." if absent else words


def _bars(classes: tuple[Expression, ...], split: SplitCounts, pattern: str, *, share: bool, log: bool) -> go.Bar:
    shares = split.shares_01()
    lengths = [100 * part for part in shares] if share else list(split.counts)
    if log and not share:
        lengths = [max(length, _LOG_FLOOR) for length in lengths]
    return go.Bar(
        name=split.split or "images",
        orientation="h",
        y=[expression_title(expression) for expression in classes],
        x=lengths,
        text=[
            f"{compact_count(number, 6)} · {percent(part)}" for number, part in zip(split.counts, shares, strict=True)
        ],
        textposition="outside",
        textangle=0,
        cliponaxis=False,
        customdata=[[expression.value, split.split] for expression in classes],
        hovertext=[
            _hover_words(expression, split, number) for expression, number in zip(classes, split.counts, strict=True)
        ],
        hoverinfo="text",
        marker={
            "color": [expression_colour(expression) for expression in classes],
            "line": {"color": [expression_outline(expression) for expression in classes], "width": 1},
            "pattern": {"shape": pattern, "size": 6, "solidity": 0.35, "fillmode": "replace"},
        },
    )


def _hover_words(expression: Expression, split: SplitCounts, number: int) -> str:
    total = sum(split.counts)
    kind = f"{split.split} images" if split.split else "images"
    if not total:
        return hover(f"The split {split.split} has no labelled images." if split.split else "No labelled images.")
    verb = "is" if number == 1 else "are"
    return hover(
        f"{count(number)} of {count(total)} {kind} ({percent(number / total)}) {verb} labelled {expression.value}"
    )


def _scale_axis(figure: go.Figure, splits: tuple[SplitCounts, ...], *, share: bool, log: bool) -> None:
    """An axis long enough for the labels at the ends of the bars, even on a phone."""
    label_characters = max(len(text) for bars in figure.data for text in bars.text)
    room = 1 / (1 - min(0.5, label_characters * _LABEL_CHARACTER_PX / _PHONE_PLOT_PX))
    longest = max(max(bars.x) for bars in figure.data) or 1
    total = images(sum(sum(split.counts) for split in splits))
    if share:
        figure.update_xaxes(range=[0, longest * room], ticksuffix=" %", title_text=f"share of the split ({total})")
    elif log:
        low, high = math.log10(_LOG_FLOOR), math.log10(max(longest, 1))
        figure.update_xaxes(
            type="log",
            tickformat="~s",
            range=[low, low + (high - low) * room],
            dtick=1,
            title_text=f"{total}, logarithmic",
        )
    else:
        wide = longest >= 100_000
        figure.update_xaxes(range=[0, longest * room], title_text=total, nticks=5, tickformat="~s" if wide else ",~r")
        if longest < 5:
            figure.update_xaxes(dtick=1)
    figure.update_xaxes(showgrid=True, zeroline=False, ticks="", title_standoff=8)
