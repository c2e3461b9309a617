"""Choices that live in the address: several at once, and text to look for."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from fer_ui.query_params import QueryParam, param_multiselect, param_text_input

    chosen = param_multiselect("Sets", ["a", "b", "c", "d"], QueryParam.SETS, default=["a", "b"], max_selections=3)
    found = param_text_input("Name", QueryParam.FIND)
    st.markdown(f"chosen {'+'.join(chosen)} {found!r}")


def _open(**query: str) -> AppTest:
    app = AppTest.from_function(_page)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def _says(app: AppTest) -> str:
    assert not app.exception
    return app.markdown[0].value


def _address(app: AppTest) -> dict[str, str]:
    return {name: "".join(value) for name, value in app.query_params.items()}


def test_an_address_that_says_nothing_means_the_default_and_stays_as_it_is() -> None:
    app = _open()
    assert _says(app) == "chosen a+b ''"
    assert _address(app) == {}


def test_an_address_chooses_and_what_it_asks_in_vain_is_passed_over() -> None:
    app = _open(sets="c,gone,a,c", find="fer")
    assert _says(app) == "chosen c+a 'fer'"
    assert _address(app)["sets"] == "c,a"
    assert _says(_open(sets="a,b,c,d")) == "chosen a+b+c ''"


def test_what_is_chosen_goes_into_the_address() -> None:
    app = _open()
    app.multiselect(key="sets").set_value(["d", "a"]).run()
    app.text_input(key="find").set_value("  face 1 ").run()
    assert _says(app) == "chosen d+a 'face 1'"
    assert _address(app) == {"sets": "d,a", "find": "face 1"}
    app.multiselect(key="sets").set_value([]).run()
    app.text_input(key="find").set_value("").run()
    assert _says(app) == "chosen  ''"
    assert _address(app) == {"sets": ""}
    assert _says(_open(sets="")) == "chosen  ''"


def test_a_changed_address_wins_over_what_was_chosen() -> None:
    app = _open(sets="a")
    app.multiselect(key="sets").set_value(["a", "b"]).run()
    app.query_params["sets"] = "c"
    app.query_params["find"] = "x"
    assert _says(app.run()) == "chosen c 'x'"
    assert _says(app.run()) == "chosen c 'x'"
