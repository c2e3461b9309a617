"""Rename a run: a button beside its title, and a dialog."""

from __future__ import annotations

import streamlit as st

from fer_core.runs.folder import Run, open_run
from fer_core.runs.notes import read_notes
from fer_core.runs.title import (
    TITLE_CHARACTERS_MAX,
    automatic_title,
    read_config,
    rename_run,
    run_title,
    use_automatic_title,
)
from fer_core.settings import settings
from fer_ui.errors import show_errors


def show_rename_button(run_id: str) -> None:
    """Show the button that opens the dialog."""
    if st.button("Rename", key=f"rename-{run_id}", icon=":material/edit:", type="tertiary"):
        _show_dialog(run_id)


@st.dialog("Rename run")
def _show_dialog(run_id: str) -> None:
    with show_errors():
        show_rename_form(open_run(run_id, settings()))


def show_rename_form(run: Run) -> None:
    """Show the field of the name; the automatic title is not a name."""
    config = read_config(run)
    automatic = automatic_title(config, settings()) if config else ""
    with st.form(f"rename-form-{run.id}", border=False):
        name = st.text_input("Name", run_title(run, settings()), max_chars=TITLE_CHARACTERS_MAX, key=f"name-{run.id}")
        saved = st.form_submit_button("Save", type="primary")
    given = read_notes(run).title
    reset = bool(given) and st.button("Use the automatic title", key=f"automatic-{run.id}", help=automatic)
    if not saved and not reset:
        return
    with show_errors():
        if reset or name == automatic:
            use_automatic_title(run)
        else:
            rename_run(run, name)
        st.rerun()
