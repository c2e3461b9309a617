"""Colors and their contrast in the light and dark theme."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from streamlit.elements.lib import streamlit_plotly_theme as streamlits

from fer_core.labels import Expression
from fer_ui import theme

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"
THEMES = {name: tomllib.loads(CONFIG.read_text())["theme"][name] for name in ("light", "dark")}
TEXT_MIN, SHAPE_MIN = 4.5, 3.0


def test_each_expression_has_its_own_color() -> None:
    assert list(theme.COLORS) == list(Expression)
    assert len(set(theme.COLORS.values())) == len(Expression)


def test_titles_are_capitalized_names() -> None:
    assert [theme.expression_title(e) for e in Expression][:2] == ["Neutral", "Happiness"]


@pytest.mark.parametrize("expression", Expression)
@pytest.mark.parametrize("theme_colors", THEMES.values(), ids=THEMES)
def test_a_bar_with_its_outline_has_enough_contrast(theme_colors: dict[str, str], expression: Expression) -> None:
    colors = (theme.expression_color(expression), theme.expression_outline(expression))
    assert max(theme.contrast_ratio(color, theme_colors["backgroundColor"]) for color in colors) >= SHAPE_MIN


@pytest.mark.parametrize("expression", Expression)
def test_text_on_an_expression_color_has_enough_contrast(expression: Expression) -> None:
    color = theme.expression_color(expression)
    assert theme.contrast_ratio(theme.text_on(color), color) >= TEXT_MIN


@pytest.mark.parametrize("theme_colors", THEMES.values(), ids=THEMES)
class TestTheme:
    def test_text_links_and_buttons_have_enough_contrast(self, theme_colors: dict[str, str]) -> None:
        for background in (theme_colors["backgroundColor"], theme_colors["secondaryBackgroundColor"]):
            for text in ("textColor", "linkColor", "grayTextColor"):
                assert theme.contrast_ratio(theme_colors[text], background) >= TEXT_MIN
        assert theme.contrast_ratio("#ffffff", theme_colors["primaryColor"]) >= TEXT_MIN
        assert theme.contrast_ratio(theme_colors["primaryColor"], theme_colors["backgroundColor"]) >= SHAPE_MIN

    def test_text_in_the_sidebar_has_enough_contrast(self, theme_colors: dict[str, dict[str, str]]) -> None:
        assert (
            theme.contrast_ratio(str(theme_colors["textColor"]), theme_colors["sidebar"]["backgroundColor"]) >= TEXT_MIN
        )

    def test_lines_have_enough_contrast(self, theme_colors: dict[str, list[str]]) -> None:
        for color in theme_colors["chartCategoricalColors"]:
            assert theme.contrast_ratio(color, str(theme_colors["backgroundColor"])) >= SHAPE_MIN

    def test_numbers_in_a_heatmap_have_enough_contrast(self, theme_colors: dict[str, list[str]]) -> None:
        """Between two colors of the scale luminance is monotone, so the ends of each half are the worst cases."""
        colors = theme_colors["chartSequentialColors"]
        text = {theme.TEXT: str(theme_colors["textColor"]), theme.PAGE: str(theme_colors["backgroundColor"])}
        for index, color in enumerate(colors):
            value = index / 8 if index < 5 else 0.5 + (index - 5) / 8
            text_color = theme.TEXT if index < 5 else theme.text_on_scale(value)
            assert theme.contrast_ratio(text[text_color], color) >= TEXT_MIN

    def test_the_scale_is_monotonic(self, theme_colors: dict[str, list[str]]) -> None:
        ratios = [
            theme.contrast_ratio(c, str(theme_colors["backgroundColor"])) for c in theme_colors["chartSequentialColors"]
        ]
        assert ratios == sorted(ratios)


def test_the_accent_is_no_expression_color() -> None:
    accents = {theme_colors["primaryColor"].upper() for theme_colors in THEMES.values()}
    assert not accents & set(theme.COLORS.values())


def test_the_scale_jumps_where_the_text_color_changes() -> None:
    scale = theme.sequential_scale()
    assert [index for index, _ in scale] == sorted(index for index, _ in scale)
    assert [index for index, _ in scale].count(0.5) == 2
    assert (scale[0][0], scale[-1][0]) == (0, 1)
    assert theme.text_on_scale(0.49) != theme.text_on_scale(0.5)


def test_placeholder_colors_are_those_that_streamlit_replaces() -> None:
    assert tuple(getattr(streamlits, f"CATEGORY_{n}") for n in range(len(theme.SERIES))) == theme.SERIES
    assert (theme.TEXT, theme.PAGE) == (streamlits.GRAY_90, streamlits.BG_COLOR)
    assert {color for _, color in theme.sequential_scale()} == {
        getattr(streamlits, f"SEQUENTIAL_{n}") for n in range(10)
    }


@pytest.mark.parametrize(("first", "second", "ratio"), [("#000000", "#FFFFFF", 21), ("#777777", "#FFFFFF", 4.48)])
def test_the_contrast_ratio_matches_the_wcag_guideline(first: str, second: str, ratio: float) -> None:
    assert theme.contrast_ratio(first, second) == pytest.approx(ratio, abs=0.01)
    assert theme.contrast_ratio(second, first) == theme.contrast_ratio(first, second)
