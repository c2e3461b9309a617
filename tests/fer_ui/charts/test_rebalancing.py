"""Charts of the effect of rebalancing on an epoch."""

from __future__ import annotations

import pandas as pd
import pytest

from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing, preview_epoch
from fer_core.labels import Expression
from fer_ui.charts.layout import get_titles
from fer_ui.charts.rebalancing import (
    describe_loss_shares,
    describe_offsets,
    describe_samples,
    loss_bars,
    offset_bars,
    sample_bars,
)
from tests.support.texts import assert_mentions

SIZES = dict(zip(Expression, (8000, 6000, 3000, 2000, 500, 100, 2000, 80), strict=True))
NO_IMAGES = dict.fromkeys(Expression, 0)


def _table(rebalancing: Rebalancing, sizes: dict[Expression, int] = SIZES) -> pd.DataFrame:
    return preview_epoch(sizes, rebalancing)


UNDER, OVER = _table(Rebalancing(sampling="under")), _table(Rebalancing(sampling="over"))
NATURAL, WEIGHTED = _table(Rebalancing()), _table(Rebalancing(weights="inverse"))


def test_images_and_samples_are_paired_bars() -> None:
    image_bars, bars_of_samples = sample_bars(UNDER).data
    assert tuple(image_bars.x) == tuple(SIZES.values())
    assert tuple(bars_of_samples.x) == (80,) * 8
    assert tuple(bars_of_samples.y) == tuple(e.value.capitalize() for e in Expression)
    assert image_bars.marker.pattern.shape and not bars_of_samples.marker.pattern.shape
    assert bars_of_samples.text[0] == "80 · 1.0 %"
    assert bars_of_samples.text[7] == "80"
    assert sample_bars(OVER).data[1].text[7].endswith(" · 34×")


@pytest.mark.parametrize(
    ("table", "row", "mentioned"),
    [
        (UNDER, 0, ["80 samples", "neutral", "7,920", "not seen"]),
        (UNDER, 7, ["80 samples", "contempt", "once"]),
        (OVER, 7, ["2,710 samples", "contempt", "34 times"]),
        (_table(Rebalancing(), SIZES | {Expression.FEAR: 0}), 4, ["no images", "fear"]),
    ],
)
def test_hover_texts_describe_the_epoch(table: pd.DataFrame, row: int, mentioned: list[str]) -> None:
    assert_mentions(sample_bars(table).data[1].hovertext[row], *mentioned)


def test_descriptions_have_the_ratios() -> None:
    assert_mentions(describe_samples(NATURAL), "once", "stays 100 : 1")
    assert_mentions(describe_samples(UNDER), "equally often", "from 100 : 1 to 1 : 1")
    assert_mentions(describe_samples(_table(Rebalancing(sampling="square_root"))), "from 100 : 1 to 10 : 1")
    one_class = _table(Rebalancing(), NO_IMAGES | {Expression.FEAR: 3})
    assert_mentions(describe_samples(one_class), "one class", "fear")
    assert_mentions(describe_loss_shares(NATURAL, NATURAL), "contempt", "keeps 0.4 %")
    assert_mentions(describe_loss_shares(WEIGHTED, NATURAL), "contempt", "12.5 %", "instead of 0.4 %")


def test_shares_of_the_loss_before_and_after_add_up() -> None:
    for bars in loss_bars(WEIGHTED, NATURAL).data:
        assert sum(bars.x) == pytest.approx(100)
    before, after = loss_bars(WEIGHTED, NATURAL).data
    assert before.text[7] == "0.4 %"
    assert after.text[7] == f"12.5 % · weight {WEIGHTED['weight'].iloc[7]:.2f}"
    assert "weight" not in loss_bars(UNDER, NATURAL).data[1].text[0]


def test_rare_classes_get_larger_offsets() -> None:
    adjusted = _table(STRATEGIES["logit-adjustment"].rebalancing)
    offsets = offset_bars(adjusted).data[0].x
    assert list(offsets) == pytest.approx(list(-adjusted["offset"]))
    assert max(offsets) == offsets[7] > offsets[0] == min(offsets) > 0
    assert_mentions(describe_offsets(adjusted), "contempt", "4.6", "neutral")


def test_empty_tables_show_why() -> None:
    empty = _table(Rebalancing(), NO_IMAGES)
    for figure in (sample_bars(empty), loss_bars(empty, empty), offset_bars(NATURAL)):
        assert not figure.data
        assert figure.layout.annotations[0].text


@pytest.mark.parametrize("scale", [1, 1000])
def test_the_axis_ends_with_the_longest_bar(scale: int) -> None:
    for rebalancing in STRATEGIES.values():
        table = _table(rebalancing.rebalancing, {e: n * scale for e, n in SIZES.items()})
        figure = sample_bars(table)
        assert figure.layout.xaxis.range[1] == max(max(bars.x) for bars in figure.data)
        assert get_titles(figure).subtitle
