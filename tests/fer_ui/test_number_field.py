"""Number fields: their range, and what happens to a number beyond it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from fer_ui.number_field import NumberRange


def page() -> None:
    """Show two fields, the second on request. AppTest runs only the source, hence the imports."""
    import streamlit as st

    from fer_ui.number_field import (
        NumberRange,
        forget_refused_numbers,
        number_field,
        refused_numbers,
        start_number_fields,
    )

    def store(name: str) -> None:
        st.session_state[f"stored-{name}"] = st.session_state[name]

    start_number_fields()
    shown = st.session_state
    number_field(
        "Epochs",
        shown.get("stored-epochs", 5),
        NumberRange(1, 1000),
        key="epochs",
        on_change=store,
        args=("epochs",),
        step=1,
    )
    if st.toggle("Share", True, key="with-share"):
        number_field(
            "Share, %",
            shown.get("stored-share", 50.0),
            NumberRange(0, 100),
            key="share",
            on_change=store,
            args=("share",),
        )
    st.text("|".join(refused_numbers()))
    st.button("Reset", on_click=forget_refused_numbers)


def test_a_number_out_of_range_stays_in_its_field_with_the_reason() -> None:
    app = AppTest.from_function(page).run()
    field = app.number_input(key="epochs")
    assert field.label == "Epochs (1 to 1,000)" and field.value == 5
    field.set_value(5000).run()
    assert app.number_input(key="epochs").value == 5000
    assert "stored-epochs" not in app.session_state
    assert app.text[0].value == "Epochs: 5,000 is out of range (1 to 1,000)."
    assert "5,000 is out of range" in app.markdown[0].value
    app.number_input(key="epochs").set_value(7).run()
    assert app.session_state["stored-epochs"] == 7
    assert app.text[0].value == "" and not app.markdown


def test_hidden_and_reset_fields_refuse_nothing() -> None:
    app = AppTest.from_function(page).run()
    app.number_input(key="share").set_value(101.0).run()
    assert app.text[0].value == "Share: 101 is out of range (0 to 100)."
    app.toggle(key="with-share").set_value(False).run()
    assert app.text[0].value == ""
    app.toggle(key="with-share").set_value(True).run()
    assert app.number_input(key="share").value == 50 and app.text[0].value == ""
    app.number_input(key="epochs").set_value(0).run()
    app.button[0].click().run()
    assert app.number_input(key="epochs").value == 5 and app.text[0].value == ""


@pytest.mark.parametrize(
    ("limits", "text", "inside", "outside"),
    [
        (NumberRange(1, 10_000), "1 to 10,000", (1, 10_000), (0, 10_001)),
        (NumberRange(0, 1, high_exclusive=True), "0 to below 1", (0, 0.999), (1, -0.1)),
        (NumberRange(0, 10, low_exclusive=True), "above 0 to 10", (0.001, 10), (0, 10.1)),
        (NumberRange(0, 2**53 - 1), "0 or more", (0, 2**53 - 1), (-1,)),
        (NumberRange(4, 128, multiple_of=4), "4 to 128, multiple of 4", (4, 64), (6, 130)),
    ],
)
def test_ranges_are_described_and_checked(
    limits: NumberRange, text: str, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    assert str(limits) == text
    assert all(map(limits.contains, inside)) and not any(map(limits.contains, outside))
