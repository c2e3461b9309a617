"""Deleting something: said what goes and what stays, folded away, and only after a second word."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown


def show_deletion_form(key: str, label: str, consequences: str, delete: Callable[[], object]) -> None:
    """An expander with a box to tick and a button that calls `delete`, which leads to another page when it is done."""
    with st.expander(label):
        st.markdown(escape_markdown(consequences))
        sure = st.checkbox("I want to delete it", key=f"sure-{key}")
        if st.button("Delete", key=f"delete-{key}", disabled=not sure, icon=":material/delete:"):
            with show_errors():
                delete()
