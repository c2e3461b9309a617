"""The first screen of a view: a chart, its numbers, and the bar of actions."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from fer_ui.frame.style import style_sheet


def _page() -> None:
    import streamlit as st

    from fer_ui.frame.view_layout import chart_and_numbers, sticky_actions, verdict

    view = chart_and_numbers("counts")
    with view.chart:
        st.write("the chart")
    with view.numbers:
        verdict("A *rare* class decides.")
    with sticky_actions("counts"):
        st.button("Start")
        st.button("Stop")


def test_a_chart_has_two_thirds_of_the_width_and_its_verdict_is_beside_it() -> None:
    app = AppTest.from_function(_page, default_timeout=60).run()
    assert not app.exception
    chart, numbers = app.columns
    assert 0.6 < chart.weight < 0.75
    assert [text.value for text in chart.markdown] == ["the chart"]
    assert [text.value for text in numbers.markdown] == [r"**A \*rare\* class decides.**"]


def test_the_style_sheet_applies_to_both_containers() -> None:
    app = AppTest.from_function(_page, default_timeout=60).run()
    ids = [block.proto.id for block in app.main.children.values()]
    for prefix in ("chart-and-numbers", "sticky-"):
        assert f"st-key-{prefix}" in style_sheet()
        assert any(f"-{prefix}" in block_id for block_id in ids)
