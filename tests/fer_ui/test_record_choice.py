"""The choice of a record whose id is in the query string."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from fer_ui.query_params import QueryParam
    from fer_ui.record_choice import choose_record

    chosen = choose_record("Run", {"one": "First", "two": "Second"}, QueryParam.RUN, "run")
    st.markdown(f"shown: {chosen}")


def _open(**query: str) -> AppTest:
    app = AppTest.from_function(_page)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def test_the_record_in_the_query_is_chosen_else_the_first() -> None:
    for app, expected in ((_open(), "one"), (_open(run="two"), "two")):
        assert app.markdown[0].value == f"shown: {expected}"
        assert not app.warning


def test_a_record_that_is_gone_is_named_and_no_other_is_shown_under_its_address() -> None:
    app = _open(run="gone")
    assert "'gone'" in app.warning[0].value
    assert app.markdown[0].value == "shown: None"
    assert app.query_params["run"] == "gone"


def test_another_record_can_be_chosen_instead() -> None:
    app = _open(run="gone")
    app.selectbox[0].set_value("two").run()
    assert app.markdown[0].value == "shown: two"
    assert not app.warning
    assert app.query_params["run"] == "two"
