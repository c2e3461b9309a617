"""The sidebar below the navigation: the model in use and what is running."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import FerscopeError
from fer_core.inference.catalog import ModelEntry
from fer_core.jobs.job import ACTIVE_STATES, JobState
from fer_ui.resources import job_store, used_model
from fer_ui.words import plain


def show_sidebar(version: str) -> None:
    """Draw it."""
    with st.sidebar:
        st.caption(plain(_model_words()))
        _show_active_jobs(st.context.theme.type)
        st.caption(f"FERscope {version}. Nothing leaves the machine it runs on.")


def _model_words() -> str:
    try:
        entry = used_model()
    except FerscopeError as error:
        return str(error)
    return f"Model in use: {_title(entry)}"


def _title(entry: ModelEntry) -> str:
    return entry.about.title + (" (drawings)" if entry.about.drawn else "")


@st.fragment(run_every="3s")
def _show_active_jobs(drawn_in: str | None) -> None:
    if st.context.theme.type != drawn_in:
        st.rerun()  # light became dark or the other way: charts are drawn anew in its colours
    active = sorted(job_store().list(states=ACTIVE_STATES), key=lambda job: job.state is not JobState.STALLED)
    for job in active[:3]:
        st.progress(min(max(job.progress_01, 0.0), 1.0), text=plain(f"{job.title}: {job.state}"))
    if len(active) > 3:
        st.caption(f"and {len(active) - 3} more")
