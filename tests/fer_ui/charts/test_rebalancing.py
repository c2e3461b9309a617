"""The charts of what a remedy does to an epoch."""

from __future__ import annotations

import pandas as pd
import pytest

from fer_core.data.imbalance.rebalancing import STRATEGIES, Rebalancing, preview
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

SIZES = dict(zip(Expression, (8000, 6000, 3000, 2000, 500, 100, 2000, 80), strict=True))
NOTHING = dict.fromkeys(Expression, 0)


def _table(rebalancing: Rebalancing, sizes: dict[Expression, int] = SIZES) -> pd.DataFrame:
    return preview(sizes, rebalancing)


UNDER, OVER = _table(Rebalancing(sampling="under")), _table(Rebalancing(sampling="over"))
NATURAL, WEIGHTED = _table(Rebalancing()), _table(Rebalancing(weights="inverse"))


def test_what_there_is_stands_beside_what_an_epoch_draws() -> None:
    there, drawn = sample_bars(UNDER).data
    assert tuple(there.x) == tuple(SIZES.values())
    assert tuple(drawn.x) == (80,) * 8
    assert tuple(drawn.y) == tuple(e.value.capitalize() for e in Expression)
    assert there.marker.pattern.shape and not drawn.marker.pattern.shape
    assert drawn.text[0] == "80 · 1.0 %"
    assert drawn.text[7] == "80"
    assert sample_bars(OVER).data[1].text[7].endswith(" · 34×")


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        (UNDER, 0, "An epoch draws 80 images of neutral; 7,920 are not seen in it"),
        (UNDER, 7, "An epoch draws 80 images of contempt, each once"),
        (OVER, 7, "An epoch draws 2,710 images of contempt, each 34 times"),
        (_table(Rebalancing(), SIZES | {Expression.FEAR: 0}), 4, "There is no image of fear to draw"),
    ],
)
def test_hover_says_what_an_epoch_sees(table: pd.DataFrame, row: int, words: str) -> None:
    assert sample_bars(table).data[1].hovertext[row].replace("<br>", " ") == words


def test_the_conclusions_give_the_ratios() -> None:
    assert describe_samples(NATURAL).startswith("Every image once: the commonest expression stays 100 times")
    assert describe_samples(UNDER).startswith("Every expression equally often, instead of the commonest 100 times")
    assert describe_samples(_table(Rebalancing(sampling="square_root"))).startswith("The commonest expression 10 times")
    only = _table(Rebalancing(), NOTHING | {Expression.FEAR: 3})
    assert describe_samples(only) == "There is one class only: fear."
    assert describe_loss_shares(NATURAL, NATURAL) == "Contempt, the rarest expression, keeps its 0.4 % of the loss."
    assert (
        describe_loss_shares(WEIGHTED, NATURAL)
        == "Contempt, the rarest expression, has 12.5 % of the loss instead of 0.4 %."
    )


def test_shares_of_the_loss_before_and_after_add_up() -> None:
    for bars in loss_bars(WEIGHTED, NATURAL).data:
        assert sum(bars.x) == pytest.approx(100)
    before, after = loss_bars(WEIGHTED, NATURAL).data
    assert before.text[7] == "0.4 %"
    assert after.text[7] == f"12.5 % · weight {WEIGHTED['weight'].iloc[7]:.2f}"
    assert "weight" not in loss_bars(UNDER, NATURAL).data[1].text[0]


def test_the_rarer_a_class_the_more_is_taken_off_its_output() -> None:
    adjusted = _table(STRATEGIES["logit-adjustment"].rebalancing)
    taken = offset_bars(adjusted).data[0].x
    assert list(taken) == pytest.approx(list(-adjusted["offset"]))
    assert max(taken) == taken[7] > taken[0] == min(taken) > 0
    assert describe_offsets(adjusted).startswith(
        "In training the output of contempt must rise 4.6 higher than that of neutral"
    )


def test_nothing_is_said_to_be_nothing() -> None:
    empty = _table(Rebalancing(), NOTHING)
    for figure in (sample_bars(empty), loss_bars(empty, empty), offset_bars(NATURAL)):
        assert not figure.data
        assert figure.layout.annotations[0].text


@pytest.mark.parametrize("scale", [1, 1000])
def test_labels_have_room_at_the_end_of_the_longest_bar(scale: int) -> None:
    for rebalancing in STRATEGIES.values():
        table = _table(rebalancing.rebalancing, {e: n * scale for e, n in SIZES.items()})
        figure = sample_bars(table)
        assert figure.layout.xaxis.range[1] > 1.1 * max(max(bars.x) for bars in figure.data)
        assert get_titles(figure).subtitle
