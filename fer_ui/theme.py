"""The palette: one color for each expression, and colors that follow the page's theme."""

from __future__ import annotations

from fer_core.labels import Expression

MUTED = "color:color-mix(in srgb, currentColor 72%, transparent)"
"""The CSS of secondary text."""

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
"""Okabe and Ito (2008), "Color Universal Design", with gray for neutral instead of black."""

SERIES = ("#000001", "#000002", "#000003", "#000004", "#000005")
"""Placeholders for lines that are not expressions. Streamlit's chart theme replaces them by
`chartCategoricalColors` of the page's theme (accent first, then slate), and the three below likewise."""

TEXT = "#000037"
PAGE = "#000038"
_SEQUENTIAL = tuple(f"#0000{index}" for index in range(11, 21))

_DARK, _LIGHT = "#10151B", "#FFFFFF"
_OUTLINE_CONTRAST_MIN = 3.0
"""Minimum contrast of a shape against its surroundings (WCAG 2.2, 1.4.11)."""


def expression_color(expression: Expression) -> str:
    """Get the color of `expression`, as #RRGGBB."""
    return COLORS[expression]


def expression_outline(expression: Expression) -> str:
    """Get a line color that keeps `expression` visible on white: its color, darkened if needed."""
    red, green, blue = rgb(COLORS[expression])
    for percent in range(100, 0, -2):
        darker = f"#{red * percent // 100:02X}{green * percent // 100:02X}{blue * percent // 100:02X}"
        if contrast_ratio(darker, _LIGHT) >= _OUTLINE_CONTRAST_MIN:
            return darker
    raise AssertionError("black stands out on white")


def expression_title(expression: Expression) -> str:
    """Name an expression as a title: "Happiness"."""
    return expression.value.capitalize()


def sequential_scale() -> list[tuple[float, str]]:
    """Build a Plotly color scale from 0 to 1 in the page's theme.

    It jumps at 0.5 from colors on which the page's text is readable to colors on which the page's background color is
    (`text_on_scale`), so that every number is readable.
    """
    low, high = _SEQUENTIAL[:5], _SEQUENTIAL[5:]
    return [(index / 8, color) for index, color in enumerate(low)] + [
        (0.5 + index / 8, color) for index, color in enumerate(high)
    ]


def text_on_scale(value_01: float) -> str:
    """Get the text color on the color that `sequential_scale` gives to `value_01`."""
    return TEXT if value_01 < 0.5 else PAGE


def text_on(color: str) -> str:
    """Get near-black or white, whichever has more contrast on `color`."""
    return max((_DARK, _LIGHT), key=lambda text: contrast_ratio(text, color))


def contrast_ratio(first: str, second: str) -> float:
    """Compute the contrast ratio of two colors, 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def rgb(color: str) -> tuple[int, int, int]:
    """Parse #RRGGBB into red, green and blue, 0..255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    shares = [value / 255 for value in rgb(color)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
