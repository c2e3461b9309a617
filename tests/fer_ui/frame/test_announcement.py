"""Messages that outlive a move to another view."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from fer_ui.frame.announcement import announce, show_announcements

    if st.button("Delete"):
        announce("Deleted *it*.")
        st.rerun()
    show_announcements()


def test_a_message_is_shown_by_the_run_that_follows_and_once() -> None:
    app = AppTest.from_function(_page).run()
    assert not app.toast
    app.button[0].click().run()
    assert [toast.value for toast in app.toast] == ["Deleted \\*it\\*."]
    assert not app.run().toast
