"""Errors on a page."""

from __future__ import annotations

import logging

import pytest
from streamlit.testing.v1 import AppTest

from fer_ui.errors import UNEXPECTED_ERROR


def _page_with_input_error() -> None:
    import streamlit as st

    from fer_core.errors import InputError
    from fer_ui.errors import show_errors

    with show_errors():
        raise InputError("size_px is 7 but must be at least 16.")
    st.caption("The rest of the page")


def _page_with_cancellation() -> None:
    from fer_core.errors import CancelledError
    from fer_ui.errors import show_errors

    with show_errors():
        raise CancelledError("The import was stopped.")


def _page_with_unexpected_error() -> None:
    from fer_ui.errors import show_errors

    with show_errors():
        raise KeyError("an inner secret")


def _page_that_stops() -> None:
    import streamlit as st

    from fer_ui.errors import show_errors

    with show_errors():
        st.stop()
    st.caption("Never shown")


def test_our_errors_are_shown_and_the_page_continues() -> None:
    app = AppTest.from_function(_page_with_input_error).run()
    assert [error.value for error in app.error] == ["size_px is 7 but must be at least 16."]
    assert app.caption[0].value == "The rest of the page"
    assert not app.expander


def test_a_cancellation_is_no_error() -> None:
    app = AppTest.from_function(_page_with_cancellation).run()
    assert not app.error
    assert app.info[0].value == "The import was stopped."


def test_an_unexpected_error_is_one_sentence_and_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="fer_ui.errors"):
        app = AppTest.from_function(_page_with_unexpected_error).run()
    assert [error.value for error in app.error] == [UNEXPECTED_ERROR]
    assert not app.exception
    assert "KeyError" in app.expander[0].code[0].value
    assert caplog.records[0].exc_info


def test_st_stop_passes_through() -> None:
    app = AppTest.from_function(_page_that_stops).run()
    assert not app.error
    assert not app.caption
