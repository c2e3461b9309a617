"""The control that turns the pages of a list."""

from __future__ import annotations

import pytest
from streamlit.elements.lib import policies
from streamlit.testing.v1 import AppTest


def page() -> None:
    """Show a list of three pages. AppTest runs only the source, hence the imports."""
    import streamlit as st

    from fer_ui.datasets.faces.pagination import current_slice, show_pagination

    here = current_slice("list", 30, 10, in_query=True)
    st.markdown(f"from {here.start}")
    show_pagination("list")


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Streamlit's warnings of a control whose value is set although it has a default."""
    found: list[str] = []
    monkeypatch.setattr(policies._LOGGER, "warning", lambda text, *_, **__: found.append(text))
    monkeypatch.setattr(policies, "_shown_default_value_warning", False)
    return found


def test_the_control_follows_clicks_and_the_address(warnings: list[str]) -> None:
    app = AppTest.from_function(page).run()
    app = app.pagination[0].set_value(3).run()
    assert app.markdown[0].value == "from 20" and app.query_params["page"] in ("3", ["3"])
    app.query_params["page"] = "2"  # Back
    app = app.run()
    assert app.markdown[0].value == "from 10" and app.pagination[0].value == 2
    app = app.pagination[0].set_value(1).run()
    assert app.markdown[0].value == "from 0" and app.pagination[0].value == 1
    assert not warnings
