"""Class distribution of a dataset."""

from __future__ import annotations

import math

import pandas as pd
import plotly.graph_objects as go
import pytest

from fer_core.labels import Expression
from fer_ui.charts.distribution import class_distribution, describe_imbalance, split_counts
from fer_ui.charts.layout import get_titles
from fer_ui.theme import expression_color
from tests.support.texts import assert_mentions

TRAIN = (9360, 7408, 3418, 3368, 651, 175, 2395, 165)
VALID = (1241, 877, 396, 441, 70, 31, 314, 26)


def _table(**splits: tuple[int, ...]) -> pd.DataFrame:
    rows = [
        (expression.value, split, number)
        for split, counts in splits.items()
        for expression, number in zip(Expression, counts, strict=False)
    ]
    return pd.DataFrame(rows, columns=["expression", "split", "count"])


def _visible_bars(figure: go.Figure) -> list[go.Bar]:
    """Visible bars, without the transparent ones that complete the rows of stacked bars."""
    return [trace for trace in figure.data if trace.type == "bar" and not isinstance(trace.marker.color, str)]


def test_bars_are_as_long_as_the_counts_in_the_fixed_order() -> None:
    shuffled = _table(train=TRAIN, valid=VALID).iloc[::-1]
    figure = class_distribution(shuffled)
    bars = _visible_bars(figure)
    assert [bar.name for bar in bars] == ["Validation", "Training"]
    assert tuple(bars[1].x) == TRAIN
    assert tuple(bars[1].y) == tuple(e.value.capitalize() for e in Expression)
    assert tuple(bars[0].marker.color) == tuple(expression_color(e) for e in Expression)
    assert figure.layout.yaxis.autorange == "reversed"


def test_splits_differ_by_hatching_and_a_single_one_needs_no_legend() -> None:
    figure = class_distribution(_table(train=TRAIN, valid=VALID))
    assert len({bars.marker.pattern.shape for bars in _visible_bars(figure)}) == 2
    assert figure.layout.showlegend
    assert not class_distribution(_table(train=TRAIN).assign(split="")).layout.showlegend


def test_hover_texts_and_labels_have_count_and_share() -> None:
    figure = class_distribution(_table(train=TRAIN, valid=VALID))
    assert_mentions(figure.data[1].hovertext[0], "validation", "1,241 of 3,396 images", "neutral", "36.5 %")
    assert figure.data[1].text[0] == "1,241 · 36.5 %"
    assert list(map(list, figure.data[1].customdata))[7] == ["contempt", "valid"]


def test_published_counts_have_no_split_in_their_hover_text() -> None:
    figure = class_distribution(_table(train=TRAIN).assign(split=""))
    assert figure.data[0].hovertext[7].startswith("165 of")
    assert_mentions(figure.data[0].hovertext[7], "165 of 26,940 images", "contempt", "0.6 %")


def test_shares_add_up_to_a_hundred_percent_in_each_split() -> None:
    figure = class_distribution(_table(train=TRAIN, valid=VALID), share=True)
    for bars in _visible_bars(figure):
        assert sum(bars.x) == pytest.approx(100)
    assert figure.data[0].text[0] == "9,360 · 34.7 %"


def test_a_logarithmic_axis_shows_one_image_and_gives_none_no_length() -> None:
    figure = class_distribution(_table(train=(1000, 1, 0)), log=True)
    low = 10 ** figure.layout.xaxis.range[0]
    lengths = [math.log10(x / low) for x in figure.data[0].x]
    assert lengths[0] > lengths[1] > 0
    assert lengths[2] == pytest.approx(0)
    assert figure.data[0].text[2] == "0 · 0.0 %"


@pytest.mark.parametrize("options", [{}, {"share": True}, {"log": True}, {"stacked": True}])
@pytest.mark.parametrize(
    "counts", [(0, 0), (1,), (0,), (80_276_000, 146_198_000, 5_135)], ids=["zeros", "one", "none", "millions"]
)
def test_the_axis_ends_with_the_longest_bar(counts: tuple[int, ...], options: dict[str, bool]) -> None:
    figure = class_distribution(_table(train=counts), **options)
    low, high = figure.layout.xaxis.range
    assert high > low
    longest = max(figure.data[0].x)
    assert high == pytest.approx(math.log10(max(longest, 1)) if options.get("log") else longest or 1)
    figure.to_json()


def test_stacked_bars_show_their_sum() -> None:
    figure = class_distribution(_table(train=TRAIN, valid=VALID), stacked=True, log=True)
    assert figure.layout.barmode == "stack" and figure.layout.xaxis.type != "log"
    assert [tuple(bars.x) for bars in _visible_bars(figure)] == [TRAIN, VALID]
    sums = next(trace for trace in figure.data if trace.type == "scatter")
    assert tuple(sums.x) == tuple(map(sum, zip(TRAIN, VALID, strict=True)))
    assert sums.text[7].strip() == "191 · 0.6 %"
    assert figure.layout.height < class_distribution(_table(train=TRAIN, valid=VALID)).layout.height


def test_stacked_shares_are_of_all_images() -> None:
    figure = class_distribution(_table(train=TRAIN, valid=VALID), stacked=True, share=True)
    assert sum(sum(bars.x) for bars in _visible_bars(figure)) == pytest.approx(100)
    assert "share of all" in figure.layout.xaxis.title.text


def test_the_row_of_a_stacked_bar_covers_every_split() -> None:
    figure = class_distribution(_table(train=TRAIN, valid=VALID), stacked=True)
    hover_bars = next(trace for trace in figure.data if trace.type == "bar" and trace not in _visible_bars(figure))
    assert list(map(list, hover_bars.customdata)) == [[expression.value, ""] for expression in Expression]
    end = figure.layout.xaxis.range[1]
    assert [sum(counts_of_class) for counts_of_class in zip(TRAIN, VALID, hover_bars.x, strict=True)] == pytest.approx(
        [end] * 8
    )


def test_without_counts_the_figure_shows_why() -> None:
    figure = class_distribution(_table())
    assert not figure.data
    assert "no counts" in figure.layout.annotations[0].text


def test_missing_rows_are_zero_and_duplicate_rows_are_summed() -> None:
    table = _table(train=(5, 3), valid=(2,))
    classes, splits = split_counts(pd.concat([table, table.iloc[:1]]))
    assert classes == (Expression.NEUTRAL, Expression.HAPPINESS)
    assert [split.counts for split in splits] == [(10, 3), (2, 0)]


@pytest.mark.parametrize(
    ("counts", "mentioned"),
    [
        (TRAIN, ["neutral", "57 times", "contempt"]),
        ((24, 10), ["neutral", "2.4 times", "happiness"]),
        ((10, 10, 11), ["balanced"]),
        ((1234,), ["1,234", "neutral"]),
        ((0, 0), ["no image"]),
        ((30, 0, 3, 0), ["neutral", "10 times", "sadness", "no images", "happiness or surprise"]),
    ],
)
def test_the_subtitle_describes_the_imbalance(counts: tuple[int, ...], mentioned: list[str]) -> None:
    assert_mentions(describe_imbalance(_table(train=counts)), *mentioned)
    assert get_titles(class_distribution(_table(train=counts))).subtitle == describe_imbalance(_table(train=counts))
