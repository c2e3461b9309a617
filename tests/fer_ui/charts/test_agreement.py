"""Charts of annotator agreement."""

from __future__ import annotations

import pandas as pd
import pytest

from fer_core.labels import Expression
from fer_ui.charts.agreement import (
    agreement_by_expression,
    agreement_histogram_bars,
    describe_agreement,
    describe_agreement_by_expression,
)
from fer_ui.charts.layout import get_titles
from fer_ui.theme import expression_color
from tests.support.texts import assert_mentions

CELLS = {("neutral", 5): 30, ("neutral", 10): 50, ("happiness", 10): 100, ("contempt", 4): 15, ("contempt", 6): 5}


def _histogram(cells: dict[tuple[str, int], int], vote_total: int = 10) -> pd.DataFrame:
    majorities = [votes for _, votes in cells] or [0]
    rows = [
        (votes, vote_total, str(expression), cells.get((str(expression), votes), 0))
        for votes in range(min(majorities), max(majorities) + 1)
        for expression in Expression
    ]
    return pd.DataFrame(rows if cells else [], columns=["votes", "of", "expression", "count"])


def test_rows_are_stacked_by_expression_in_the_fixed_order() -> None:
    figure = agreement_histogram_bars(_histogram(CELLS))
    assert [bars.name for bars in figure.data] == ["Neutral", "Happiness", "Contempt"]
    assert figure.layout.barmode == "stack"
    neutral = dict(zip(figure.data[0].y, figure.data[0].x, strict=True))
    assert neutral == {f"{votes} of 10": {5: 30, 10: 50}.get(votes, 0) for votes in range(4, 11)}
    assert figure.data[2].marker.color == expression_color(Expression.CONTEMPT)
    assert get_titles(figure).title
    other = agreement_histogram_bars(_histogram({("fear", 3): 1}, vote_total=7))
    assert list(other.data[0].y) == ["3 of 7"]


def test_a_bar_names_its_expression_and_votes() -> None:
    figure = agreement_histogram_bars(_histogram(CELLS))
    assert list(figure.data[0].customdata[1]) == ["neutral", 5]
    assert list(agreement_by_expression(_histogram(CELLS)).data[6].customdata[2]) == ["contempt", 10]


def test_hover_texts() -> None:
    figure = agreement_histogram_bars(_histogram(CELLS))
    assert_mentions(figure.data[0].hovertext[1], "neutral", "5 of 10 votes", "30 images")


def test_the_shares_of_an_expression_add_up_to_100_percent() -> None:
    figure = agreement_by_expression(_histogram(CELLS))
    names = [name.split("<br>")[0] for name in figure.data[0].y]
    assert names == ["Neutral", "Happiness", "Contempt"]
    for index in range(len(names)):
        assert sum(bars.x[index] for bars in figure.data) == pytest.approx(100)
    assert [bars.name for bars in figure.data] == ["4", "5", "6", "7", "8", "9", "10"]
    assert figure.data[0].x[2] == pytest.approx(75)
    assert figure.data[0].text[2] == "75.0 %"
    assert len({bars.marker.color for bars in figure.data}) > 4


def test_the_conclusion_gives_the_numbers() -> None:
    assert_mentions(describe_agreement(_histogram(CELLS)), "75.0 % of 200", "22.5 %", "half")
    assert_mentions(describe_agreement_by_expression(_histogram(CELLS)), "happiness", "10.0 of 10", "contempt", "4.5")
    rare = CELLS | {("fear", 3): 9, ("surprise", 10): 1}
    assert_mentions(describe_agreement_by_expression(_histogram(rare)), "most on happiness", "least on contempt")
    assert_mentions(describe_agreement_by_expression(_histogram({("fear", 4): 1})), "4.0 of 10")


@pytest.mark.parametrize("cells", [{}, {("fear", 0): 0}], ids=["no rows", "only zeros"])
def test_empty_tables_show_why(cells: dict[tuple[str, int], int]) -> None:
    for figure in (agreement_histogram_bars(_histogram(cells)), agreement_by_expression(_histogram(cells))):
        assert not figure.data
        assert "No image" in figure.layout.annotations[0].text
