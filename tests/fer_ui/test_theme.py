"""The palette: every expression has its own color, and all of them show on either page."""

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


def test_each_expression_has_a_color_of_its_own() -> None:
    assert list(theme.COLORS) == list(Expression)
    assert len(set(theme.COLORS.values())) == len(Expression)


def test_titles_are_the_names_with_a_capital() -> None:
    assert [theme.expression_title(e) for e in Expression][:2] == ["Neutral", "Happiness"]


@pytest.mark.parametrize("expression", Expression)
@pytest.mark.parametrize("page", THEMES.values(), ids=THEMES)
def test_a_bar_with_its_outline_shows_on_the_page(page: dict[str, str], expression: Expression) -> None:
    shown = (theme.expression_color(expression), theme.expression_outline(expression))
    assert max(theme.contrast_ratio(color, page["backgroundColor"]) for color in shown) >= SHAPE_MIN


@pytest.mark.parametrize("expression", Expression)
def test_text_on_an_expressions_color_can_be_read(expression: Expression) -> None:
    color = theme.expression_color(expression)
    assert theme.contrast_ratio(theme.text_on(color), color) >= TEXT_MIN


@pytest.mark.parametrize("page", THEMES.values(), ids=THEMES)
class TestThePage:
    def test_text_links_and_accent_buttons_can_be_read(self, page: dict[str, str]) -> None:
        for background in (page["backgroundColor"], page["secondaryBackgroundColor"]):
            for text in ("textColor", "linkColor", "grayTextColor"):
                assert theme.contrast_ratio(page[text], background) >= TEXT_MIN
        assert theme.contrast_ratio("#ffffff", page["primaryColor"]) >= TEXT_MIN
        assert theme.contrast_ratio(page["primaryColor"], page["backgroundColor"]) >= SHAPE_MIN

    def test_text_in_the_sidebar_can_be_read(self, page: dict[str, dict[str, str]]) -> None:
        assert theme.contrast_ratio(str(page["textColor"]), page["sidebar"]["backgroundColor"]) >= TEXT_MIN

    def test_lines_show(self, page: dict[str, list[str]]) -> None:
        for color in page["chartCategoricalColors"]:
            assert theme.contrast_ratio(color, str(page["backgroundColor"])) >= SHAPE_MIN

    def test_every_number_in_a_matrix_can_be_read(self, page: dict[str, list[str]]) -> None:
        """Between two colors of the scale luminance is monotone, so the ends of each half are the worst cases."""
        colors = page["chartSequentialColors"]
        text = {theme.TEXT: str(page["textColor"]), theme.PAGE: str(page["backgroundColor"])}
        for place, color in enumerate(colors):
            value = place / 8 if place < 5 else 0.5 + (place - 5) / 8
            written = theme.TEXT if place < 5 else theme.text_on_scale(value)
            assert theme.contrast_ratio(text[written], color) >= TEXT_MIN

    def test_the_scale_goes_one_way(self, page: dict[str, list[str]]) -> None:
        ratios = [theme.contrast_ratio(c, str(page["backgroundColor"])) for c in page["chartSequentialColors"]]
        assert ratios == sorted(ratios)


def test_the_accent_is_no_expressions_color() -> None:
    accents = {page["primaryColor"].upper() for page in THEMES.values()}
    assert not accents & set(theme.COLORS.values())


def test_the_scale_jumps_where_its_text_changes_color() -> None:
    scale = theme.sequential_scale()
    assert [place for place, _ in scale] == sorted(place for place, _ in scale)
    assert [place for place, _ in scale].count(0.5) == 2
    assert (scale[0][0], scale[-1][0]) == (0, 1)
    assert theme.text_on_scale(0.49) != theme.text_on_scale(0.5)


def test_the_stand_ins_are_those_that_streamlit_replaces() -> None:
    assert tuple(getattr(streamlits, f"CATEGORY_{n}") for n in range(len(theme.SERIES))) == theme.SERIES
    assert (theme.TEXT, theme.PAGE) == (streamlits.GRAY_90, streamlits.BG_COLOR)
    assert {color for _, color in theme.sequential_scale()} == {
        getattr(streamlits, f"SEQUENTIAL_{n}") for n in range(10)
    }


@pytest.mark.parametrize(("one", "other", "ratio"), [("#000000", "#FFFFFF", 21), ("#777777", "#FFFFFF", 4.48)])
def test_contrast_is_that_of_the_guideline(one: str, other: str, ratio: float) -> None:
    assert theme.contrast_ratio(one, other) == pytest.approx(ratio, abs=0.01)
    assert theme.contrast_ratio(other, one) == theme.contrast_ratio(one, other)
