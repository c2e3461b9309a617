"""The palette: one color for each expression everywhere, and the colors that follow the page's theme."""

from __future__ import annotations

from fer_core.labels import Expression

COLORS: dict[Expression, str] = {
    Expression.NEUTRAL: "#8C9198",
    Expression.HAPPINESS: "#F0E442",
    Expression.SADNESS: "#0072B2",
    Expression.SURPRISE: "#56B4E9",
    Expression.FEAR: "#CC79A7",
    Expression.DISGUST: "#009E73",
    Expression.ANGER: "#D55E00",
    Expression.CONTEMPT: "#E69F00",
}
"""Okabe and Ito (2008), "Color Universal Design", its black made the gray of neutral, which shows on either page."""

SERIES = ("#000001", "#000002", "#000003", "#000004", "#000005")
"""Lines that are not expressions. Streamlit's chart theme puts `chartCategoricalColors` of the page's theme in their
place, so that a chart follows the page from light to dark; so with the three below. Accent first, then slate."""

TEXT = "#000037"
PAGE = "#000038"
_SEQUENTIAL = tuple(f"#0000{place}" for place in range(11, 21))

_DARK, _LIGHT = "#10151B", "#FFFFFF"
_OUTLINE_CONTRAST_MIN = 3.0
"""WCAG 2.2, 1.4.11: what a shape needs against what is beside it."""


def expression_color(expression: Expression) -> str:
    """The color of `expression`, as #RRGGBB."""
    return COLORS[expression]


def expression_outline(expression: Expression) -> str:
    """A line color that keeps `expression` visible on white: its own where that is enough, else a darker one."""
    red, green, blue = rgb(COLORS[expression])
    for percent in range(100, 0, -2):
        darker = f"#{red * percent // 100:02X}{green * percent // 100:02X}{blue * percent // 100:02X}"
        if contrast_ratio(darker, _LIGHT) >= _OUTLINE_CONTRAST_MIN:
            return darker
    raise AssertionError("black stands out on white")


def expression_title(expression: Expression) -> str:
    """The expression's name as a label: "Happiness"."""
    return expression.value.capitalize()


def sequential_scale() -> list[tuple[float, str]]:
    """A Plotly color scale from nothing to everything, in the page's theme.

    It jumps at one half, from a color on which the page's text can be read to one on which the page's background
    can be read (`text_on_scale`), so that no cell has a number that is hard to see.
    """
    low, high = _SEQUENTIAL[:5], _SEQUENTIAL[5:]
    return [(place / 8, color) for place, color in enumerate(low)] + [
        (0.5 + place / 8, color) for place, color in enumerate(high)
    ]


def text_on_scale(value_01: float) -> str:
    """The color of a number on the color that `sequential_scale` gives to `value_01`."""
    return TEXT if value_01 < 0.5 else PAGE


def text_on(color: str) -> str:
    """Near-black or white, whichever is read better on `color`."""
    return max((_DARK, _LIGHT), key=lambda text: contrast_ratio(text, color))


def contrast_ratio(one: str, other: str) -> float:
    """How far two colors are apart for the eye, 1 to 21, after WCAG 2.2, "contrast ratio"."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue, 0..255, of a color written #RRGGBB."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    shares = [value / 255 for value in rgb(color)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
