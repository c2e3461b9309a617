"""A small picture of a class distribution for a card, in plain HTML: a bar for each expression, in its color."""

from __future__ import annotations

from collections.abc import Mapping

from fer_core.labels import Expression
from fer_ui.escaping import escape_html
from fer_ui.formatting import format_images
from fer_ui.theme import expression_color, expression_outline, expression_title

_BAR_MIN_PERCENT = 2.0
"""Height of the shortest bar, so that one image is visible."""


def sparkline_html(totals: Mapping[str, int]) -> str:
    """Build the bars, as high as the counts, the expressions in their fixed order.

    Args:
        totals: images of each expression; those that are missing have a gap.
    """
    largest = max(totals.values(), default=0)
    bars = "".join(_bar(expression, totals.get(expression.value, 0), largest) for expression in Expression)
    summary = ", ".join(
        f"{expression_title(Expression(name))} {format_images(number)}" for name, number in totals.items()
    )
    return f'<div class="ferscope-sparkline" role="img" aria-label="{escape_html(summary)}">{bars}</div>'


def legend_html() -> str:
    """Build the legend of the sparklines."""
    entries = "".join(
        f'<li><span style="background:{expression_color(each)};border-color:{expression_outline(each)}"></span>'
        f"{expression_title(each)}</li>"
        for each in Expression
    )
    return f'<ul class="ferscope-legend">{entries}</ul>'


def _bar(expression: Expression, number: int, largest: int) -> str:
    if not number:
        return "<span></span>"
    height = max(100 * number / largest, _BAR_MIN_PERCENT)
    colors = f"background:{expression_color(expression)};border-color:{expression_outline(expression)}"
    return f'<span style="height:{height:.1f}%;{colors}"></span>'
