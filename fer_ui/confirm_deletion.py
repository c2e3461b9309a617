"""A folded form that deletes something after a confirmation."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown


def show_deletion_form(key: str, label: str, consequences: str, delete: Callable[[], object]) -> None:
    """Show an expander with the consequences, a checkbox to confirm, and a button that calls `delete`."""
    with st.expander(label):
        st.markdown(escape_markdown(consequences))
        confirmed = st.checkbox("I want to delete it", key=f"sure-{key}")
        if st.button("Delete", key=f"delete-{key}", disabled=not confirmed, icon=":material/delete:"):
            with show_errors():
                delete()
