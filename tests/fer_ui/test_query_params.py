"""Widgets bound to the query."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from fer_ui.query_params import QueryParam, param_multiselect, param_text_input

    selected = param_multiselect("Sets", ["a", "b", "c", "d"], QueryParam.SETS, default=["a", "b"], max_selections=3)
    search = param_text_input("Name", QueryParam.FIND)
    st.markdown(f"chosen {'+'.join(selected)} {search!r}")


def _open(**query: str) -> AppTest:
    app = AppTest.from_function(_page)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def _page_text(app: AppTest) -> str:
    assert not app.exception
    return app.markdown[0].value


def _query(app: AppTest) -> dict[str, str]:
    return {name: "".join(value) for name, value in app.query_params.items()}


def test_an_empty_query_gives_the_defaults_and_stays_empty() -> None:
    app = _open()
    assert _page_text(app) == "chosen a+b ''"
    assert _query(app) == {}


def test_query_values_are_used_and_unknown_ones_ignored() -> None:
    app = _open(sets="c,gone,a,c", find="fer")
    assert _page_text(app) == "chosen c+a 'fer'"
    assert _query(app)["sets"] == "c,a"
    assert _page_text(_open(sets="a,b,c,d")) == "chosen a+b+c ''"


def test_choices_are_written_to_the_query() -> None:
    app = _open()
    app.multiselect(key="sets").set_value(["d", "a"]).run()
    app.text_input(key="find").set_value("  face 1 ").run()
    assert _page_text(app) == "chosen d+a 'face 1'"
    assert _query(app) == {"sets": "d,a", "find": "face 1"}
    app.multiselect(key="sets").set_value([]).run()
    app.text_input(key="find").set_value("").run()
    assert _page_text(app) == "chosen  ''"
    assert _query(app) == {"sets": ""}
    assert _page_text(_open(sets="")) == "chosen  ''"


def test_a_changed_query_overrides_earlier_choices() -> None:
    app = _open(sets="a")
    app.multiselect(key="sets").set_value(["a", "b"]).run()
    app.query_params["sets"] = "c"
    app.query_params["find"] = "x"
    assert _page_text(app.run()) == "chosen c 'x'"
    assert _page_text(app.run()) == "chosen c 'x'"


def _page_with_a_widget_below() -> None:
    import streamlit as st

    from fer_ui.query_params import QueryParam, chosen_param, param_segmented_control

    options = {"count": "Counts", "share": "Shares", "log": "Log"}
    above = chosen_param(options, QueryParam.SCALE)
    below = param_segmented_control("Scale", options, QueryParam.SCALE)
    st.markdown(f"{above} {below}")


def test_the_choice_of_a_widget_is_known_before_it_is_drawn() -> None:
    app = AppTest.from_function(_page_with_a_widget_below).run()
    assert _page_text(app) == "count count"
    app.button_group(key="scale").set_value("log").run()
    assert _page_text(app) == "log log"
    app.query_params["scale"] = "share"
    assert _page_text(app.run()) == "share share"
    app.query_params["scale"] = "gone"
    assert _page_text(app.run()) == "count count"
    app.button_group(key="scale").set_value("share").run()
    assert _page_text(app) == "share share"
    app.button_group(key="scale").set_value("count").run()
    assert _page_text(app) == "count count"
