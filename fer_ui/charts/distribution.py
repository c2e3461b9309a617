"""How many images a dataset has of each expression, by split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from fer_core.labels import Expression
from fer_core.text import join_words
from fer_ui.charts.layout import LEGEND_PX, apply_layout, empty_figure
from fer_ui.formatting import compact_count, count, hover, images, percent, times
from fer_ui.image_labels import describe_split, split_title
from fer_ui.theme import expression_color, expression_outline, expression_title

TITLE = "Images by expression"
_PATTERNS = ("", "/", ".", "x", "-", "|")
"""A split is told from another by its hatching, as color already says which expression it is."""

_BAR_PX = 20
_ROW_GAP_PX = 10
_LABEL_CHARACTER_PX = 6.4
_PHONE_PLOT_PX = 272
_UNSEEN = "rgba(0, 0, 0, 0)"
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


def class_distribution(
    counts: pd.DataFrame, *, share: bool = False, log: bool = False, stacked: bool = False
) -> go.Figure:
    """Draw the counts of each class, a bar a split. `customdata` of a bar is its expression and split.

    Args:
        counts: columns `expression` (an Expression's value), `split` (empty when there is only one), `count`.
        share: bars are as long as the share within their split, so that splits of unlike size can be compared; or
            within all images, where bars are stacked.
        log: a logarithmic axis, on which rare classes can be seen; shares and stacked bars have none.
        stacked: the splits of a class in one bar.
    """
    classes, splits = split_counts(counts)
    if not classes:
        return empty_figure(TITLE, "There are no counts to show.")
    log = log and not share and not stacked
    whole = SplitCounts("", tuple(map(sum, zip(*(split.counts for split in splits), strict=True))))
    figure = go.Figure()
    for place, split in enumerate(splits):
        bars = _bars(classes, split, _PATTERNS[place % len(_PATTERNS)])
        bars.x = _lengths(split, sum((whole if stacked else split).counts), share=share, log=log)
        if not stacked:
            bars.update(text=_numbers(split), textposition="outside", textangle=0, cliponaxis=False)
            bars.offsetgroup = str(place)
        figure.add_trace(bars)
    rows = [whole] if stacked else list(splits)
    ends = [_lengths(row, sum(row.counts), share=share, log=log) for row in rows]
    axis_end = _scale_axis(figure, max(map(max, ends)), [text for row in rows for text in _numbers(row)], log=log)
    for place, (row, row_ends) in enumerate(zip(rows, ends, strict=True)):
        if stacked:
            figure.add_trace(_behind_the_ends(classes, row, row_ends))
            figure.add_trace(_rest_of_rows(classes, row, [axis_end - end for end in row_ends]))
        else:
            figure.add_trace(_rest_of_rows(classes, row, [axis_end] * len(classes)).update(offsetgroup=str(place)))
    figure.update_layout(
        barmode="stack" if stacked else "group",
        bargap=_ROW_GAP_PX / (_ROW_GAP_PX + _BAR_PX * len(rows)),
        showlegend=len(splits) > 1,
    )
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False)
    figure.update_xaxes(title_text=_axis_words(sum(whole.counts), splits, share=share, log=log, stacked=stacked))
    if share:
        figure.update_xaxes(ticksuffix=" %", tickformat="")
    rows_px = len(classes) * (_ROW_GAP_PX + _BAR_PX * len(rows)) + LEGEND_PX * (len(splits) > 1)
    return apply_layout(figure, title=TITLE, subtitle=describe_imbalance(counts), height_px=rows_px + 84)


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


def describe_imbalance(counts: pd.DataFrame) -> str:
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
        words = f"Every labeled image ({count(present[most])}) shows {most.value}."
    elif ratio < 1.2:
        words = "The expressions are about equally common."
    else:
        words = f"{expression_title(most)} is {times(ratio)} as common as {least.value}."
    return f"{words} No image is labeled {join_words(absent, 'or')}." if absent else words


def _lengths(split: SplitCounts, total: int, *, share: bool, log: bool) -> list[float]:
    if share:
        return [100 * number / total if total else 0.0 for number in split.counts]
    return [max(number, _LOG_FLOOR) if log else number for number in split.counts]


def _numbers(split: SplitCounts) -> list[str]:
    """Each class's count and share."""
    pairs = zip(split.counts, split.shares_01(), strict=True)
    return [f"{compact_count(number, 6)} · {percent(part)}" for number, part in pairs]


def _rest_of_rows(classes: tuple[Expression, ...], row: SplitCounts, lengths: list[float]) -> go.Bar:
    """What answers the pointer beside bars too short to hit; nothing is seen of it."""
    return _bars(classes, row, "").update(x=lengths, marker={"color": _UNSEEN, "line_width": 0}, showlegend=False)


def _bars(classes: tuple[Expression, ...], split: SplitCounts, pattern: str) -> go.Bar:
    return go.Bar(
        name=split_title(split.split) if split.split else "images",
        orientation="h",
        y=[expression_title(expression) for expression in classes],
        customdata=[[expression.value, split.split] for expression in classes],
        hovertext=[
            _hover_words(expression, split, number) for expression, number in zip(classes, split.counts, strict=True)
        ],
        hoverinfo="text",
        marker={
            "color": [expression_color(expression) for expression in classes],
            "line": {"color": [expression_outline(expression) for expression in classes], "width": 1},
            "pattern": {"shape": pattern, "size": 6, "solidity": 0.35, "fillmode": "replace"},
        },
    )


def _behind_the_ends(classes: tuple[Expression, ...], whole: SplitCounts, ends: list[float]) -> go.Scatter:
    """The numbers of stacked bars, which belong to all their pieces."""
    return go.Scatter(
        x=ends,
        y=[expression_title(expression) for expression in classes],
        mode="text",
        text=[f"\u2002{text}" for text in _numbers(whole)],
        textposition="middle right",
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )


def _hover_words(expression: Expression, split: SplitCounts, number: int) -> str:
    total = sum(split.counts)
    part = describe_split(split.split)
    kind = f"{part} images" if split.split else "images"
    if not total:
        return hover(f"The {part} part has no labeled images." if split.split else "No labeled images.")
    verb = "is" if number == 1 else "are"
    return hover(
        f"{count(number)} of {count(total)} {kind} ({percent(number / total)}) {verb} labeled {expression.value}"
    )


def _scale_axis(figure: go.Figure, longest: float, labels: Sequence[str], *, log: bool) -> float:
    """An axis long enough for the labels at the ends of the bars, even on a phone; returns where it ends."""
    room = 1 / (1 - min(0.5, max(map(len, labels)) * _LABEL_CHARACTER_PX / _PHONE_PLOT_PX))
    longest = longest or 1
    if log:
        low, high = math.log10(_LOG_FLOOR), math.log10(max(longest, 1))
        figure.update_xaxes(type="log", tickformat="~s", range=[low, low + (high - low) * room], dtick=1)
    else:
        wide = longest >= 100_000
        figure.update_xaxes(range=[0, longest * room], nticks=5, tickformat="~s" if wide else ",~r")
        if longest < 5:
            figure.update_xaxes(dtick=1)
    figure.update_xaxes(showgrid=True, zeroline=False, ticks="", title_standoff=8)
    end = float(figure.layout.xaxis.range[1])
    return 10**end if log else end


def _axis_words(total: int, splits: tuple[SplitCounts, ...], *, share: bool, log: bool, stacked: bool) -> str:
    if share:
        of = "all" if stacked or len(splits) < 2 else "the part"
        return f"share of {of} ({images(total)})"
    return f"{images(total)}, logarithmic" if log else images(total)
