"""Header of a page."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from fer_ui.frame.header import Headline, headline, headline_html


def _page() -> None:
    import streamlit as st

    from fer_ui.frame.header import Headline, empty_state, headline, notice, page_header

    with page_header("Images of *my* set", "What is in it, and what is rare."):
        st.selectbox("Dataset", ["a"])
    headline([Headline("Images", "30,336"), Headline("Accuracy", "85.4 %", "95 % interval 84.1 to 86.6 %")])
    empty_state("No model yet", "Train one first.", links=lambda: st.button("Train a model"))
    empty_state("No runs yet", "They appear here.")
    notice("warning", "2 files of my_set_*.zip were left out.")


def test_a_page_opens_with_title_introduction_headlines_and_empty_state() -> None:
    app = AppTest.from_function(_page, default_timeout=60).run()
    assert not app.exception
    assert app.title[0].value == r"Images of \*my\* set"
    assert app.title[0].proto.help == "What is in it, and what is rare."
    assert [element.value for element in app.subheader] == ["No model yet", "No runs yet"]
    assert [button.label for button in app.button] == ["Train a model"]
    assert app.warning[0].value == r"2 files of my_set\_\*.zip were left out."
    bodies = [element.proto.body for element in app.get("html")]
    assert any("85.4&nbsp;%" in body for body in bodies)


def test_labels_values_and_details_are_escaped() -> None:
    html = headline_html([Headline("<i>", "<b>", "<script>"), Headline("a & b", "1")])
    assert not any(tag in html for tag in ("<i>", "<b>", "<script>"))
    assert "a &amp; b" in html


def test_a_number_without_detail_has_no_empty_line() -> None:
    assert headline_html([Headline("Images", "1")]).count("<dd") == 1


def test_what_is_looked_at_shares_the_row_of_the_title() -> None:
    app = AppTest.from_function(_page, default_timeout=60).run()
    row = app.main.children[0]
    assert row.proto.id.endswith("page-header") and row.proto.flex_container.direction == 2  # horizontal
    assert [child.type for child in row.children.values()] == ["title", "selectbox"]


@pytest.mark.parametrize("numbers", [0, 1, 7])
def test_a_headline_is_two_to_six_numbers(numbers: int) -> None:
    with pytest.raises(ValueError, match=f"2 to 6 numbers but got {numbers}"):
        headline([Headline("a", "1")] * numbers)
