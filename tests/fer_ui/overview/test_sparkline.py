"""Sparklines of class counts."""

from __future__ import annotations

import re

from fer_core.labels import Expression
from fer_ui.overview.distribution_card import card_html
from fer_ui.overview.sparkline import legend_html, sparkline_html
from fer_ui.theme import expression_color


def test_bars_are_as_high_as_the_counts_and_keep_their_places() -> None:
    html = sparkline_html({"neutral": 50, "happiness": 200, "contempt": 1})
    spans = re.findall(r"<span[^>]*>", html)
    assert len(spans) == len(Expression), "missing expressions have a gap"
    heights = {
        expression: float(found[1])
        for expression, span in zip(Expression, spans, strict=True)
        if (found := re.search(r"height:([\d.]+)%", span))
    }
    assert heights[Expression.HAPPINESS] == 100
    assert heights[Expression.NEUTRAL] == 25
    assert 0 < heights[Expression.CONTEMPT] < 5, "one image is visible"
    assert set(heights) == {Expression.NEUTRAL, Expression.HAPPINESS, Expression.CONTEMPT}
    assert expression_color(Expression.HAPPINESS) in spans[list(Expression).index(Expression.HAPPINESS)]
    assert "Happiness 200 images" in html, "for screen readers"


def test_the_legend_names_every_expression() -> None:
    assert all(expression.value.capitalize() in legend_html() for expression in Expression)


def test_a_card_has_the_ratio_and_its_classes() -> None:
    html = card_html(400, {"happiness": 290, "contempt": 10, "fear": 0})
    assert "29\xa0:\xa01" in html and "Happiness to contempt" in html and "400 images" in html
    assert "none labeled" in card_html(7, {})
    assert "balanced" in card_html(20, {"happiness": 10, "fear": 10})
