"""Probability bars of one face."""

from __future__ import annotations

import pytest

from fer_core.labels import LABEL_SETS, Expression
from fer_ui.charts.layout import get_titles
from fer_ui.charts.probabilities import probability_bars
from fer_ui.theme import expression_color
from tests.support.texts import assert_mentions

VALUES = (0.05, 0.872, 0.03, 0.02, 0.01, 0.008, 0.0099, 0.0001)
PROBABILITIES = dict(zip(Expression, VALUES, strict=True))


def test_bars_are_the_probabilities_in_the_fixed_order() -> None:
    figure = probability_bars(dict(reversed(PROBABILITIES.items())))
    bars = figure.data[0]
    assert tuple(bars.x) == VALUES
    assert tuple(bars.customdata) == tuple(e.value for e in Expression)
    assert tuple(bars.marker.color) == tuple(expression_color(e) for e in Expression)
    assert figure.layout.height <= 230


def test_the_most_likely_expression_is_emphasized() -> None:
    figure = probability_bars(PROBABILITIES)
    assert [opacity == 1 for opacity in figure.data[0].marker.opacity] == [False, True] + [False] * 6
    assert figure.data[1].text[1] == "<b>87.2 %</b>"
    assert figure.data[1].text[7] == "<0.1 %"
    assert figure.layout.yaxis.ticktext[1] == "<b>Happiness</b>"


def test_the_description_is_about_the_face_never_the_person() -> None:
    title, subtitle = get_titles(probability_bars(PROBABILITIES))
    assert title == "Read as happiness"
    assert subtitle == "Confidence 87.2 %."
    title, subtitle = get_titles(probability_bars(PROBABILITIES, True, 0.9))
    assert title == "Uncertain"
    assert_mentions(subtitle, "happiness", "87.2 %", "90.0 %")
    assert subtitle == "Most likely happiness (87.2 %), below the 90.0 % needed."
    # The two numbers never look equal.
    assert get_titles(probability_bars(PROBABILITIES, True, 0.8724)).subtitle.endswith(
        "(87.20 %), below the 87.24 % needed."
    )
    # Above the threshold, another reason such as a cut-off face applies.
    assert "60" not in get_titles(probability_bars(PROBABILITIES, True, 0.6)).subtitle


def test_the_threshold_is_a_line() -> None:
    figure = probability_bars(PROBABILITIES, True, 0.45)
    assert figure.layout.shapes[0].x0 == 0.45
    assert not probability_bars(PROBABILITIES).layout.shapes


@pytest.mark.parametrize("name", LABEL_SETS)
def test_a_smaller_label_set_has_fewer_bars(name: str) -> None:
    expressions = LABEL_SETS[name].expressions
    figure = probability_bars({expression: 1 / len(expressions) for expression in expressions})
    assert len(figure.data[0].x) == len(expressions)


def test_without_probabilities_the_figure_shows_why() -> None:
    assert not probability_bars({}).data
